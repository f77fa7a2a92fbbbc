//! What every case is made of: the private machine, the service, the programs that run there, and what is asserted of each report.

pub(crate) mod arrange;
pub(crate) mod case;
pub(crate) mod forms;
pub(crate) mod judge;
pub(crate) mod namespace;
pub(crate) mod programs;
pub(crate) mod remedies;
pub(crate) mod replay;
pub(crate) mod server;
pub(crate) mod snapshot;
pub(crate) mod ticket;
pub(crate) mod world;
