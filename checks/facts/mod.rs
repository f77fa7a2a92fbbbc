//! Facts about this machine, the network and the service, as plain data: what checks read and what a recording holds.
//!
//! A fact has no cell, no lock and no handle, and knows nothing of how it was gathered. What it can be asked is pure. Here
//! belongs the judgement that several checks or gatherers share; what a single check asks stays in that check.

use serde::{Deserialize, Serialize};
pub mod account;
pub mod agent;
pub mod algorithms;
pub mod alternates;
pub mod bytes;
pub mod connection;
pub mod control;
pub mod conversation;
pub mod environment;
pub mod files;
pub mod footprint;
pub mod git_answer;
pub mod git_config;
pub mod git_run;
pub mod git_url;
pub mod handshake;
pub mod identities;
pub mod kexinit;
pub mod key_file;
pub mod keyring;
pub mod keys;
pub mod known_hosts;
pub mod lines;
pub mod login;
pub mod machine;
pub mod paths;
pub mod public_key;
pub mod question;
pub mod request;
pub mod route;
pub mod session;
pub mod settings;
pub mod ssh_command;
pub mod ssh_config;
pub mod summary;
pub mod target;
pub mod trust;

use std::net::SocketAddr;
use std::path::Path;

use account::Account;
use alternates::Alternate;
use control::Control;
use conversation::{Conversation, Peer, Trust};
use footprint::Footprint;
use keyring::{Holder, Keyring};
use keys::Keys;
use lines::Lines;
use machine::Machine;
use paths::Paths;
use question::Asker;
pub use request::{Clock, Operation, Request};
use settings::{Asked, Expansions, Settings};
use target::{NoTarget, Target};
use trust::KnownHosts;

use self::environment::Environment;
use self::git_config::GitConfig;
use self::git_run::{GitComplaint, GitRun};
use self::ssh_config::SecondOpinion;
use self::ssh_config::{Evaluation, Question, SshTraits};
use crate::bitbucket::Services;

use crate::check_id::CheckId;
use crate::facts::connection::ResolveError;
use crate::facts::ssh_command::{GitProgram, SshCommand};
use crate::unavailable::Unavailable;

/// A fact, or why it is not to be had.
pub type Fact<T> = Result<T, Unavailable>;

/// Everything that was found out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// What was asked.
    pub request: Request,
    /// The gathering did not come to its end: what follows says nothing.
    pub unfinished: bool,
    /// When, and for how long.
    pub clock: Clock,
    /// Where.
    pub machine: Machine,
    /// As whom.
    pub account: Account,
    /// The environment.
    pub environment: Environment,
    /// The hosts that are known.
    pub services: Services,
    /// git's configuration in the current folder.
    pub git_config: GitConfig,
    /// What is examined, or why there is nothing to examine.
    pub target: Result<Target, NoTarget>,
    /// The command with which git starts ssh, and the client it comes down to.
    pub ssh_command: SshCommand,
    /// The git on `PATH`.
    pub git: Option<GitProgram>,
    /// How the ssh that git runs differs from others.
    pub traits: SshTraits,
    /// Our own reading of ssh's configuration.
    pub reading: Fact<Evaluation>,
    /// What ssh itself says of its configuration; empty when no program may be started or there is no ssh.
    pub asked: Fact<Asked>,
    /// The effective settings.
    pub settings: Fact<Settings>,
    /// How tools that are built on the library ssh2-config read the user's file.
    pub second_opinion: Option<SecondOpinion>,
    /// What the values of ssh's configuration come to that are spoken of.
    pub expansions: Expansions,
    /// The lines of ssh's configuration that are spoken of.
    pub lines: Lines,
    /// The agents within reach.
    pub keyring: Fact<Keyring>,
    /// The keys that ssh would try, and the others.
    pub keys: Fact<Keys>,
    /// What known_hosts says of the host.
    pub known_hosts: Fact<KnownHosts>,
    /// The ControlPath.
    pub control: Control,
    /// The line of the hosts file that names the host, counted from 1.
    pub hosts_file_line: Option<usize>,
    /// The addresses of the host.
    pub resolution: Fact<Result<Vec<SocketAddr>, ResolveError>>,
    /// What was said with the server.
    pub conversation: Fact<Conversation>,
    /// The other ways to the service, tried.
    pub alternates: Vec<Alternate>,
    /// What git did.
    pub git_run: Fact<GitRun>,
    /// What git and ssh complain of, if git was run and failed.
    pub git_complaint: Option<GitComplaint>,
    /// What is at every path that is spoken of.
    pub paths: Paths,
    /// What the examination did.
    pub footprint: Footprint,
}

/// The answer of a fact that no selected check needs.
pub fn not_needed() -> Unavailable {
    Unavailable::Skipped { why: "no selected check needs it".into() }
}

/// Lends a fact.
fn lend<T>(fact: &Fact<T>) -> Fact<&T> {
    fact.as_ref().map_err(Clone::clone)
}

impl Facts {
    /// Facts of which only what nothing else depends on is known yet.
    pub fn begin(request: Request, clock: Clock, machine: Machine, account: Account, found: Found) -> Self {
        let Found { environment, services, git_config, ssh_command, git, traits, target } = found;
        Facts {
            request,
            unfinished: false,
            clock,
            machine,
            account,
            environment,
            services,
            git_config,
            target,
            ssh_command,
            git,
            traits,
            reading: Err(not_needed()),
            asked: Err(not_needed()),
            settings: Err(not_needed()),
            second_opinion: None,
            expansions: Expansions::default(),
            lines: Lines::default(),
            keyring: Err(not_needed()),
            keys: Err(not_needed()),
            known_hosts: Err(not_needed()),
            control: Control::Nobody,
            hosts_file_line: None,
            resolution: Err(not_needed()),
            conversation: Err(not_needed()),
            alternates: Vec::new(),
            git_run: Err(not_needed()),
            git_complaint: None,
            paths: Paths::default(),
            footprint: Footprint::default(),
        }
    }

    /// Facts of a gathering that did not come to its end: nothing is known but what was asked.
    pub fn unfinished(request: Request, environment: Environment, services: Services) -> Self {
        let clock = Clock { began: 0, took_ms: request.budget_ms };
        let found = Found {
            git_config: GitConfig { settings: Vec::new(), fault: None, discovery: git_config::Discovery::Absent },
            ssh_command: SshCommand::unread(&environment),
            git: None,
            traits: SshTraits::default(),
            target: Ok(Target {
                given: request.target.as_ref().map(|given| given.to_string_lossy().into_owned()),
                ..Target::default()
            }),
            environment,
            services,
        };
        let begun = Facts::begin(request, clock, Machine::default(), Account::default(), found);
        Facts { unfinished: true, ..begun }
    }

    /// When the run began, UTC, ISO 8601.
    pub fn started_at(&self) -> String {
        let seconds = i64::try_from(self.clock.began).unwrap_or(0);
        jiff::Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default()
    }

    /// Whether a push was asked about.
    pub fn pushes(&self) -> bool {
        self.request.pushes()
    }

    /// The home folder that ssh reads, for a report.
    pub fn home(&self) -> Option<String> {
        self.account.ssh_home().map(|h| h.to_string_lossy().into_owned())
    }

    /// What is examined.
    ///
    /// # Errors
    /// When there is nothing that git could contact.
    pub fn target(&self) -> Fact<&Target> {
        self.target.as_ref().map_err(|_| Unavailable::blocked(CheckId::RemoteUrl, "there is nothing that git could contact"))
    }

    /// Who asks ssh's configuration, and as what.
    pub fn asker(&self) -> Asker<'_> {
        Asker {
            account: &self.account,
            command: &self.ssh_command,
            traits: &self.traits,
            folder: self.ssh_folder(),
            system_folder: &self.machine.system_ssh_folder,
            service_program: self.request.service_program(),
        }
    }

    /// The question that git's ssh answers with its configuration.
    ///
    /// # Errors
    /// When ssh contacts no host.
    pub fn question(&self) -> Fact<Question<'_>> {
        let url = self.target()?.ssh().ok_or_else(|| Unavailable::NotApplicable { why: "no host is contacted over SSH".into() })?;
        Ok(self.asker().question(url))
    }

    /// Where git runs ssh: git goes to the top of its working tree first.
    pub fn ssh_folder(&self) -> &Path {
        question::ssh_folder(&self.git_config, &self.machine.folder)
    }

    /// Our own reading of ssh's configuration.
    ///
    /// # Errors
    /// When there is no host to ask about, or no OpenSSH that would read it.
    pub fn reading(&self) -> Fact<&Evaluation> {
        lend(&self.reading)
    }

    /// What ssh itself says of its configuration.
    ///
    /// # Errors
    /// As [`Facts::reading`].
    pub fn asked(&self) -> Fact<&Asked> {
        lend(&self.asked)
    }

    /// The effective settings.
    ///
    /// # Errors
    /// When ssh cannot read its configuration, or no ssh was asked and our own reading is not certain.
    pub fn settings(&self) -> Fact<&Settings> {
        lend(&self.settings)
    }

    /// The agent that ssh would ask; `None` when it is told to ask none.
    ///
    /// # Errors
    /// As [`Facts::settings`].
    pub fn agent(&self) -> Fact<Option<&Holder>> {
        Ok(lend(&self.keyring)?.used.as_ref())
    }

    /// The keys that ssh would try, and the others.
    ///
    /// # Errors
    /// As [`Facts::settings`].
    pub fn keys(&self) -> Fact<&Keys> {
        lend(&self.keys)
    }

    /// What known_hosts says of the host.
    ///
    /// # Errors
    /// As [`Facts::settings`].
    pub fn known_hosts(&self) -> Fact<&KnownHosts> {
        lend(&self.known_hosts)
    }

    /// The host ssh connects to.
    ///
    /// # Errors
    /// As [`Facts::settings`].
    pub fn hostname(&self) -> Fact<String> {
        Ok(self.settings()?.hostname().to_string())
    }

    /// The addresses of the host, or why it has none.
    ///
    /// # Errors
    /// When the network is not to be used, or a proxy resolves the name.
    pub fn resolution(&self) -> Fact<&Result<Vec<SocketAddr>, ResolveError>> {
        lend(&self.resolution)
    }

    /// What was said with the server.
    ///
    /// # Errors
    /// When the network is not to be used, or the settings are not known.
    pub fn conversation(&self) -> Fact<&Conversation> {
        lend(&self.conversation)
    }

    /// The server, when it has introduced itself.
    ///
    /// # Errors
    /// Blocked by the check that failed before.
    pub fn peer(&self) -> Fact<&Peer> {
        match &self.conversation()?.handshake {
            Some(Ok(peer)) => Ok(peer),
            Some(Err(_)) => Err(Unavailable::blocked(CheckId::Handshake, "the handshake failed")),
            None => Err(Unavailable::blocked(CheckId::Connection, "there is no connection")),
        }
    }

    /// What was said with a server that is trusted.
    ///
    /// # Errors
    /// Blocked by the check that failed before.
    pub fn trusted_conversation(&self) -> Fact<&Conversation> {
        let conversation = self.conversation()?;
        match self.peer()?.trust {
            Trust::Published | Trust::Configured | Trust::Known => Ok(conversation),
            Trust::Contradicts => Err(Unavailable::blocked(
                CheckId::FingerprintMatchesRemote,
                "the server is not who it should be, so it was asked nothing",
            )),
            Trust::Nobody => {
                Err(Unavailable::blocked(CheckId::KnownHosts, "nobody vouches for the server, so it was asked nothing"))
            }
        }
    }

    /// What git did.
    ///
    /// # Errors
    /// When it was not run, or could not be.
    pub fn git_run(&self) -> Fact<&GitRun> {
        lend(&self.git_run)
    }
}

/// What is known before ssh's configuration is read.
#[derive(Debug)]
pub struct Found {
    /// As [`Facts::environment`].
    pub environment: Environment,
    /// As [`Facts::services`].
    pub services: Services,
    /// As [`Facts::git_config`].
    pub git_config: GitConfig,
    /// As [`Facts::ssh_command`].
    pub ssh_command: SshCommand,
    /// As [`Facts::git`].
    pub git: Option<GitProgram>,
    /// As [`Facts::traits`].
    pub traits: SshTraits,
    /// As [`Facts::target`].
    pub target: Result<Target, NoTarget>,
}

/// Asserts that `value` survives a recording.
#[cfg(test)]
pub(crate) fn survives_json<T>(value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(value).expect("serialises");
    let back: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(back, *value, "{json}");
}
