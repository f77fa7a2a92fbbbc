//! Odd set-ups with which git works: nothing may be called broken.

mod agents;
mod config;
mod host_names;
mod keys;
mod known_hosts;
mod programs;
mod repositories;
mod servers;
