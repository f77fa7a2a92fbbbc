//! The facts that stand at the head of a report, whatever the checks found.

use serde::Serialize;

use super::identities::KeySource;
use super::keys::Key;
use super::machine::CiService;
use super::settings::Settings;
use super::ssh_config;
use super::{Facts, Operation};
use crate::facts::ssh_command::{ClientKind, Started};
use crate::privacy::{Kind, Private, Text};

/// Where it ran, what was examined, which keys and settings there are.
#[derive(Debug)]
pub struct Summary {
    /// Where it ran.
    pub machine: Machine,
    /// What was examined.
    pub target: Target,
    /// The keys, in the order in which ssh tries them, the others behind them.
    pub identities: Vec<Identity>,
    /// The settings of ssh that differ from the defaults or decide something.
    pub settings: Vec<Setting>,
    /// Connections of bbdoctor's own: `host:port` and how many.
    pub connections: Vec<(Text, u32)>,
    /// Programs that were started.
    pub programs: Vec<Text>,
}

/// Where it ran.
#[derive(Debug)]
pub struct Machine {
    /// The system's short name.
    pub os: &'static str,
    /// Its own name and version.
    pub system: Text,
    /// The git on `PATH`.
    pub git: Option<Tool>,
    /// The ssh client that git runs.
    pub ssh: Option<Tool>,
    /// There is a terminal to ask at.
    pub terminal: bool,
    /// The CI service.
    pub ci: Option<&'static str>,
}

/// A program that was found.
#[derive(Debug)]
pub struct Tool {
    /// Where.
    pub path: Text,
    /// What it says of itself.
    pub version: Option<Text>,
    /// For an ssh client: `openssh`, `plink`, …
    pub kind: Option<&'static str>,
}

/// What was examined.
#[derive(Debug, Default)]
pub struct Target {
    /// As given.
    pub given: Option<Text>,
    /// The URL it stands for.
    pub url: Option<Text>,
    /// The URL git contacts.
    pub effective_url: Option<Text>,
    /// The host in it.
    pub host: Option<Text>,
    /// The host ssh connects to.
    pub hostname: Option<Text>,
    /// The port ssh connects to.
    pub port: Option<u16>,
    /// The user ssh logs in as.
    pub user: Option<Text>,
    /// `workspace/repository`.
    pub repository: Option<Text>,
    /// The service, by its name in reports.
    pub service: Option<&'static str>,
    /// What git is asked to do.
    pub operation: Operation,
}

/// A key.
#[derive(Debug)]
pub struct Identity {
    /// Its place in ssh's order, from 1; `None` when ssh would not try it.
    pub order: Option<u32>,
    /// Where ssh has it from.
    pub source: FoundIn,
    /// The file or the comment.
    pub name: Text,
    /// The type.
    pub algorithm: Option<Text>,
    /// The size.
    pub bits: Option<u32>,
    /// `SHA256:…`.
    pub fingerprint: Option<Text>,
    /// ssh would show it to the server.
    pub offered: bool,
    /// Why it is not offered, or cannot be used.
    pub why: Option<Text>,
    /// What the server said to it.
    pub server: KeyStanding,
}

/// Where ssh has a key from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundIn {
    /// A file.
    File,
    /// An agent, and no file names it.
    Agent,
}

impl FoundIn {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            FoundIn::File => "file",
            FoundIn::Agent => "agent",
        }
    }
}

/// What the server said to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStanding {
    /// It knows it.
    Accepted,
    /// It does not.
    Refused,
    /// It was not asked.
    Unknown,
}

impl KeyStanding {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            KeyStanding::Accepted => "accepted",
            KeyStanding::Refused => "refused",
            KeyStanding::Unknown => "unknown",
        }
    }
}

/// A setting of ssh.
#[derive(Debug)]
pub struct Setting {
    /// The keyword, lower case.
    pub keyword: Text,
    /// Its value.
    pub value: Text,
    /// The line that decides.
    pub source: Option<(Text, usize)>,
    /// The lines that lost: file, line, value.
    pub overrides: Vec<(Text, usize, Text)>,
}

/// Settings that decide something for git, whether or not they have their default values.
const DECISIVE: &[&str] = &[
    "hostname",
    "port",
    "user",
    "identityfile",
    "identitiesonly",
    "identityagent",
    "proxycommand",
    "proxyjump",
    "stricthostkeychecking",
];

impl Facts {
    /// The facts at the head of a report. Only what is gathered already is told: a report makes no connection.
    pub fn summary(&self) -> Summary {
        Summary {
            machine: self.machine_summary(),
            target: self.target_summary(),
            identities: self.keys().map(|all| all.all().map(|i| self.identity_summary(i)).collect()).unwrap_or_default(),
            settings: self.settings().map(settings).unwrap_or_default(),
            connections: self.footprint.connections.iter().map(|(to, count)| (Private::host(to).into(), *count)).collect(),
            programs: self.footprint.programs.iter().map(|p| Private::quoted(p).into()).collect(),
        }
    }

    /// The user's home folders, the one that ssh goes by first, and the names of the account and of the machine, which may turn up in what others say.
    pub fn private_values(&self) -> (Vec<String>, Vec<Private>) {
        let account = &self.account;
        let said = |name: &str| self.environment.text(name);
        let homes = account.ssh_home().into_iter().chain(account.home_variable.clone());
        let homes = homes.map(|home| home.to_string_lossy().into_owned()).collect();
        let users = [account.entry.as_ref().map(|e| e.name.clone()), account.sudo_user.clone(), said("USER"), said("LOGNAME")];
        let hosts = [Some(account.machine_name.clone()), said("HOSTNAME"), said("HOST")];
        let users = users.into_iter().flatten().map(Private::user);
        (homes, users.chain(hosts.into_iter().flatten().map(Private::host)).collect())
    }

    fn machine_summary(&self) -> Machine {
        let c = &self.ssh_command;
        let ssh = || {
            let path = c.client.as_ref()?.path.as_ref().ok()?;
            let version = match &c.started {
                Started::Runs { text, .. } => Some(Private::quoted(text).into()),
                Started::NotTried | Started::Broken { .. } => None,
            };
            let kind = match c.kind {
                ClientKind::OpenSsh => "openssh",
                ClientKind::Plink => "plink",
                ClientKind::TortoisePlink => "tortoiseplink",
                ClientKind::Dropbear => "dropbear",
                ClientKind::Wrapper => "wrapper",
                ClientKind::Unknown => "unknown",
            };
            Some(Tool { path: Private::path(path).into(), version, kind: Some(kind) })
        };
        Machine {
            os: self.machine.os.name(),
            system: Private::quoted(&self.machine.system).into(),
            git: self.git.as_ref().map(|g| Tool {
                path: Private::path(&g.path).into(),
                version: g.version.as_ref().map(|v| Private::quoted(v).into()),
                kind: None,
            }),
            ssh: ssh(),
            terminal: self.machine.terminal,
            ci: self.machine.ci.map(CiService::name),
        }
    }

    fn target_summary(&self) -> Target {
        let operation = self.request.operation;
        let given = self.request.target.as_ref().map(|t| Private::url(t.to_string_lossy()).into());
        let Ok(target) = &self.target else { return Target { given, operation, ..Target::default() } };
        let settings = self.settings().ok();
        let ssh = target.ssh();
        let host = ssh.map(|s| s.host.clone());
        let hostname = settings.map(|s| s.hostname().to_string());
        let service = hostname.as_deref().and_then(|h| self.services.get(h)).or_else(|| self.services.get(host.as_deref()?));
        Target {
            given,
            url: target.url.as_ref().map(|u| Private::url(u).into()),
            effective_url: target.examined_instead.as_ref().or(target.effective_url.as_ref()).map(|u| Private::url(u).into()),
            host: host.map(|h| Private::host(h).into()),
            hostname: hostname.map(|h| Private::host(h).into()),
            port: settings.map(Settings::port),
            user: settings.map(|s| Private::user(s.user()).into()),
            repository: target.repository.as_ref().map(|r| Private::repository(r).into()),
            service: service.map(|s| s.kind.name()),
            operation,
        }
    }

    fn identity_summary(&self, key: &Key) -> Identity {
        let (source, name): (_, Text) = match &key.identity.source {
            KeySource::File { path } | KeySource::FileInAgent { path } => (FoundIn::File, Private::path(path).into()),
            KeySource::Agent { comment } => (FoundIn::Agent, Private::new(Kind::Comment, comment).into()),
        };
        let conversation = self.conversation().ok();
        let public = key.public();
        let answer = conversation.zip(public).and_then(|(t, p)| t.answer(&p.blob));
        Identity {
            order: key.identity.order,
            source,
            name,
            algorithm: public.map(|p| Text::algorithm(&p.algorithm)),
            bits: public.map(|p| p.bits).filter(|b| *b > 0),
            fingerprint: public.map(|p| Text::fingerprint(p.fingerprint())),
            offered: key.offered(),
            why: key.why_text(),
            server: match answer {
                Some(true) => KeyStanding::Accepted,
                Some(false) => KeyStanding::Refused,
                None => KeyStanding::Unknown,
            },
        }
    }
}

/// The settings with more than one value are told one by one.
fn settings(settings: &Settings) -> Vec<Setting> {
    let told = |s: &&ssh_config::Setting| settings.is_set(&s.keyword) || DECISIVE.contains(&s.keyword.as_str());
    let private = |keyword: &str, text: &str| -> Text {
        match keyword {
            "user" => Private::user(text).into(),
            _ => Private::quoted(text).into(),
        }
    };
    let place = |p: &ssh_config::Position| (Text::from(Private::path(&p.file)), p.line);
    settings
        .iter()
        .filter(told)
        .flat_map(|setting| {
            setting.values.iter().enumerate().map(move |(n, value)| Setting {
                keyword: Text::keyword(&setting.keyword),
                value: private(&setting.keyword, &value.text),
                source: value.source.position().map(place),
                overrides: setting
                    .losers
                    .iter()
                    .filter(|_| n == 0)
                    .filter_map(|l| {
                        l.source.position().map(|p| (Private::path(&p.file).into(), p.line, private(&setting.keyword, &l.value)))
                    })
                    .collect(),
            })
        })
        .collect()
}
