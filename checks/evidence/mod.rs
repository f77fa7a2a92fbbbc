//! Facts about this machine, the network and the service, gathered lazily and once, by the only code that touches the
//! world.
//!
//! [`Evidence`] has a cell for each fact. A fact may ask for others, so the calls are the dependencies; a fact that is not to
//! be had says why ([`Unavailable`]), and whoever asked passes that on with `?`.
#![allow(clippy::disallowed_methods, reason = "evidence is where the world is touched")]

pub mod account;
pub mod agent;
pub mod bind;
pub mod control;
pub mod conversation;
pub mod endpoints;
pub mod environment;
pub mod files;
pub mod git_config;
pub mod git_run;
pub mod git_target;
pub mod git_url;
pub mod handshake;
pub mod identities;
pub mod kexinit;
pub mod key_file;
pub mod keyring;
pub mod keys;
pub mod known_hosts;
pub mod ledger;
pub mod libssh2;
mod pattern;
mod pkt_line;
pub mod platform;
pub mod process;
pub mod proxy;
pub mod public_key;
pub mod resolve;
pub mod road;
pub mod session;
pub mod settings;
pub mod ssh_command;
pub mod ssh_config;
pub mod summary;
pub mod target;
pub mod transport;
pub mod trust;
pub mod witness;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use account::Account;
use control::Control;
use conversation::{Conversation, Peer, Trust};
use endpoints::Alternate;
use environment::Environment;
use git_config::GitConfig;
use git_run::{GitComplaint, GitRun};
use keyring::{Holder, Keyring};
use keys::Keys;
use ledger::Ledger;
use resolve::ResolveError;
use settings::{Asked, Settings};
use ssh_command::{ClientKind, GitProgram, SshCommand, Started};
use ssh_config::{ConfigFile, Evaluation, Question, SshTraits};
use target::{NoTarget, Target};
use trust::KnownHosts;
use witness::Witness;

use crate::bitbucket::Services;
use crate::check_id::CheckId;
use crate::unavailable::Unavailable;

/// What git is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Read: clone, fetch, pull.
    Fetch,
    /// Write.
    Push,
}

/// What the user wants examined, and within which bounds.
#[derive(Debug)]
pub struct Request {
    /// What was named: a URL, `workspace/repo`, a remote, a host; `None` for the remote git would use here.
    pub target: Option<OsString>,
    /// What git is asked to do.
    pub operation: Operation,
    /// Other programs may be started.
    pub may_execute: bool,
    /// The network must not be used.
    pub offline: bool,
    /// When the run began.
    pub started: Instant,
    /// How long it may take.
    pub budget: Duration,
    /// The hosts that are known.
    pub services: Services,
    /// The environment.
    pub environment: Environment,
}

/// How long a program may take that only says what it is.
const PROGRAM_LIMIT: Duration = Duration::from_secs(3);

/// The least time in which something can be found out about a server.
const LEAST_TALK: Duration = Duration::from_millis(300);

type Fact<T> = Result<T, Unavailable>;

/// The facts, each gathered when it is first asked for.
#[derive(Debug)]
pub struct Evidence {
    request: Request,
    began_at: SystemTime,
    folder: PathBuf,
    account: Account,
    ledger: Ledger,
    git_config: OnceLock<GitConfig>,
    target: OnceLock<Result<Target, NoTarget>>,
    ssh_command: OnceLock<SshCommand>,
    git: OnceLock<Option<GitProgram>>,
    traits: OnceLock<SshTraits>,
    reading: OnceLock<Fact<Evaluation>>,
    asked: OnceLock<Asked>,
    settings: OnceLock<Fact<Settings>>,
    keyring: OnceLock<Fact<Keyring>>,
    identities: OnceLock<Fact<Keys>>,
    known_hosts: OnceLock<Fact<KnownHosts>>,
    resolution: OnceLock<Fact<Result<Vec<SocketAddr>, ResolveError>>>,
    conversation: OnceLock<Fact<Conversation>>,
    alternates: OnceLock<Vec<Alternate>>,
    control: OnceLock<Control>,
    git_run: OnceLock<Fact<GitRun>>,
    complaint: OnceLock<Option<GitComplaint>>,
}

impl Evidence {
    /// Nothing is gathered yet but who runs this, and where.
    pub fn new(request: Request) -> Self {
        let account = Account::read(&request.environment);
        Evidence {
            account,
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            began_at: SystemTime::now(),
            request,
            ledger: Ledger::default(),
            git_config: OnceLock::new(),
            target: OnceLock::new(),
            ssh_command: OnceLock::new(),
            git: OnceLock::new(),
            traits: OnceLock::new(),
            reading: OnceLock::new(),
            asked: OnceLock::new(),
            settings: OnceLock::new(),
            keyring: OnceLock::new(),
            identities: OnceLock::new(),
            known_hosts: OnceLock::new(),
            resolution: OnceLock::new(),
            conversation: OnceLock::new(),
            alternates: OnceLock::new(),
            control: OnceLock::new(),
            git_run: OnceLock::new(),
            complaint: OnceLock::new(),
        }
    }

    // The run itself.

    /// How long the run may take.
    pub fn budget(&self) -> Duration {
        self.request.budget
    }

    /// Milliseconds since the run began.
    pub fn milliseconds(&self) -> u64 {
        u64::try_from(self.request.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// When the budget is spent.
    pub fn deadline(&self) -> Instant {
        self.request.started + self.request.budget
    }

    /// What is left of the budget, and a little more: facts end by themselves, and this is for the case that one does not.
    pub fn time_left_with_grace(&self) -> Duration {
        (self.deadline() + Duration::from_millis(1500)).saturating_duration_since(Instant::now())
    }

    /// When our own conversation with the server must end, so that git has time left for its own.
    pub fn conversation_deadline(&self) -> Instant {
        let share = if self.request.may_execute { 45 } else { 90 };
        self.request.started + self.request.budget * share / 100
    }

    /// When the run began, UTC, ISO 8601.
    pub fn started_at(&self) -> String {
        let seconds = i64::try_from(self.now_unix()).unwrap_or(0);
        jiff::Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default()
    }

    /// Seconds since 1970 when the run began.
    pub fn now_unix(&self) -> u64 {
        self.began_at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
    }

    /// The version of libssh2.
    pub fn libssh2_version(&self) -> String {
        libssh2::version()
    }

    /// What was done, step by step.
    pub fn timeline(&self) -> Vec<ledger::Step> {
        self.ledger.steps()
    }

    /// The hosts that are known.
    pub fn services(&self) -> &Services {
        &self.request.services
    }

    /// The environment.
    pub fn environment(&self) -> &Environment {
        &self.request.environment
    }

    /// Whether a push was asked about.
    pub fn pushes(&self) -> bool {
        self.request.operation == Operation::Push
    }

    /// Whether other programs may be started.
    pub fn may_execute(&self) -> bool {
        self.request.may_execute
    }

    fn online(&self) -> Fact<()> {
        if self.request.offline { Err(Unavailable::Skipped { why: "--offline: the network is not used".into() }) } else { Ok(()) }
    }

    // This machine.

    /// Who runs this.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The home folder that ssh reads, for a report.
    pub fn home(&self) -> Option<String> {
        self.account.ssh_home().map(|h| h.to_string_lossy().into_owned())
    }

    /// git's configuration in the current folder.
    pub fn git_config(&self) -> &GitConfig {
        self.git_config.get_or_init(|| git_config::read(self.environment(), &self.folder))
    }

    /// What is examined.
    ///
    /// # Errors
    /// Why there is nothing to examine.
    pub fn chosen_target(&self) -> Result<&Target, &NoTarget> {
        let choose = || {
            let request = &self.request;
            target::choose(
                request.target.as_deref(),
                &self.folder,
                &request.environment,
                self.git_config(),
                &request.services,
                self.pushes(),
                &|url| self.may_be_bitbucket(url),
            )
        };
        self.target.get_or_init(choose).as_ref()
    }

    pub(crate) fn target(&self) -> Fact<&Target> {
        self.chosen_target().map_err(|_| Unavailable::blocked(CheckId::RemoteUrl, "there is nothing that git could contact"))
    }

    /// The command with which git starts ssh, and the client it comes down to.
    pub fn ssh_command(&self) -> &SshCommand {
        let read = || ssh_command::read(self.environment(), self.git_config(), self.ssh_folder(), self.until_if_executing());
        self.ssh_command.get_or_init(read)
    }

    /// The ssh client itself, when it can be run.
    pub(crate) fn ssh_path(&self) -> Option<&Path> {
        self.ssh_command().client.as_ref()?.path.as_deref().ok()
    }

    /// Whether the client reads ssh_config.
    pub(crate) fn reads_ssh_config(&self) -> bool {
        !matches!(self.ssh_command().kind, ClientKind::Plink | ClientKind::TortoisePlink | ClientKind::Dropbear)
    }

    /// The file of ssh's `-F`, if git's command gives one.
    pub(crate) fn given_config_file(&self) -> Option<PathBuf> {
        self.ssh_command().options.config_file.as_ref().filter(|f| *f != "none").map(|f| self.ssh_folder().join(f))
    }

    /// Where git runs ssh: git goes to the top of its working tree first.
    pub(crate) fn ssh_folder(&self) -> &Path {
        let top = self.git_config().repository().and_then(|r| r.work_tree.as_deref());
        top.filter(|top| self.folder.starts_with(top)).unwrap_or(&self.folder)
    }

    /// The environment in which git's ssh runs: the command may change it (`SSH_AUTH_SOCK= ssh`, `env -u …`).
    pub(crate) fn ssh_environment(&self) -> &Environment {
        &self.ssh_command().environment
    }

    /// The git on `PATH`.
    pub fn git(&self) -> Option<&GitProgram> {
        let find = || ssh_command::git_program(self.environment(), &self.folder, self.until_if_executing()).ok();
        self.git.get_or_init(find).as_ref()
    }

    fn until_if_executing(&self) -> Option<Instant> {
        self.request.may_execute.then(|| self.deadline().min(Instant::now() + PROGRAM_LIMIT))
    }

    /// How the ssh that git runs differs from others.
    pub fn traits(&self) -> &SshTraits {
        self.traits.get_or_init(|| {
            let Started::Runs { text, openssh: Some(_) } = &self.ssh_command().started else { return SshTraits::default() };
            let until = self.deadline().min(Instant::now() + PROGRAM_LIMIT);
            let examined = self.ssh_path().and_then(|path| ssh_config::examine(path, until).ok());
            examined.or_else(|| SshTraits::from_banner(text)).unwrap_or_default()
        })
    }

    /// The question that git's ssh would answer with its configuration.
    pub(crate) fn question(&self) -> Fact<Question<'_>> {
        let url = self.target()?.ssh().ok_or_else(|| Unavailable::NotApplicable { why: "no host is contacted over SSH".into() })?;
        Ok(self.question_about(url))
    }

    /// The question that git's ssh would answer, were `url` what git contacts.
    pub(crate) fn question_about(&self, url: &git_url::SshUrl) -> Question<'_> {
        let mut question = Question::new(url.host.clone(), &self.account, self.ssh_environment(), self.traits());
        question.user = url.user.clone();
        question.port = url.port;
        question.system_file = platform::system_ssh_folder().join("ssh_config");
        question.command = Some(format!("{} '{}'", self.service_program(), url.path));
        let given = &self.ssh_command().options;
        let named =
            [("User", &given.login), ("Port", &given.port), ("ProxyJump", &given.jump), ("ControlPath", &given.control_path)];
        question.options =
            named.into_iter().filter_map(|(keyword, value)| value.as_ref().map(|v| format!("{keyword}={v}"))).collect();
        question.options.extend(given.address_family.map(|f| format!("AddressFamily={}", if f == '4' { "inet" } else { "inet6" })));
        question.options.extend(given.options.iter().cloned());
        // What begins with these, ssh expands.
        let relative = |file: &&String| !file.starts_with(['/', '~', '%', '$']);
        let placed = |file: &String| match Some(file).filter(relative) {
            Some(file) => self.ssh_folder().join(file).to_string_lossy().into_owned(),
            None => file.clone(),
        };
        question.identity_files = given.identity_files.iter().map(placed).collect();
        question.config_file = match given.config_file.as_deref() {
            None => ConfigFile::Default,
            Some("none") => ConfigFile::None,
            Some(file) => ConfigFile::File(self.ssh_folder().join(file)),
        };
        question
    }

    /// The program git runs on the server.
    pub(crate) fn service_program(&self) -> &'static str {
        if self.pushes() { "git-receive-pack" } else { "git-upload-pack" }
    }

    /// Our own reading of ssh's configuration.
    ///
    /// # Errors
    /// When there is no host to ask about, or no OpenSSH that would read it.
    pub fn reading(&self) -> Fact<&Evaluation> {
        let read = || {
            if !self.reads_ssh_config() {
                return Err(Unavailable::NotApplicable { why: "git runs no OpenSSH, so its configuration does not apply".into() });
            }
            Ok(ssh_config::evaluate(&self.question()?))
        };
        self.reading.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// What ssh itself says of its configuration; empty when no program may be started or there is no ssh.
    pub(crate) fn asked(&self) -> Fact<&Asked> {
        let own = self.reading()?;
        let question = self.question()?;
        Ok(self.asked.get_or_init(|| {
            let path = self.ssh_path().filter(|_| matches!(self.ssh_command().started, Started::Runs { openssh: Some(_), .. }));
            path.map(|p| settings::ask(p, &question, own, self.deadline(), &|line| self.ledger.started(&line))).unwrap_or_default()
        }))
    }

    /// The effective settings.
    ///
    /// # Errors
    /// When ssh cannot read its configuration, or no ssh was asked and our own reading is not certain.
    pub fn settings(&self) -> Fact<&Settings> {
        let settle = || {
            let (own, question, asked) = (self.reading()?, self.question()?, self.asked()?);
            if let Some(effective) = &asked.effective {
                return Ok(Settings::of_ssh(own, effective, &question));
            }
            if asked.hangs {
                let by = if own.undecided.is_empty() { CheckId::ConfigPermissions } else { CheckId::HostSettings };
                return Err(Unavailable::blocked(by, "ssh does not come to the end of its configuration"));
            }
            if let Some(problem) = own.problems.first() {
                return Err(Unavailable::blocked(crate::outlook::check_of(&problem.kind), "ssh cannot read its configuration"));
            }
            if asked.refusal.is_some() && self.ssh_command().kind != ClientKind::Wrapper {
                return Err(Unavailable::blocked(CheckId::ConfigSyntax, "ssh refuses its configuration"));
            }
            Settings::of_own_reading(&question, own)
        };
        self.settings.get_or_init(settle).as_ref().map_err(Clone::clone)
    }

    /// The agents within reach.
    pub(crate) fn keyring(&self) -> Fact<&Keyring> {
        self.keyring.get_or_init(|| Keyring::gather(self)).as_ref().map_err(Clone::clone)
    }

    /// The agent that ssh would ask; `None` when it is told to ask none.
    ///
    /// # Errors
    /// As [`Evidence::settings`].
    pub fn agent(&self) -> Fact<Option<&Holder>> {
        Ok(self.keyring()?.used.as_ref())
    }

    /// The keys that ssh would try, and the others.
    ///
    /// # Errors
    /// As [`Evidence::settings`].
    pub fn identities(&self) -> Fact<&Keys> {
        self.identities.get_or_init(|| keys::gather(self)).as_ref().map_err(Clone::clone)
    }

    /// What known_hosts says of the host.
    ///
    /// # Errors
    /// As [`Evidence::settings`].
    pub fn known_hosts(&self) -> Fact<&KnownHosts> {
        self.known_hosts.get_or_init(|| trust::gather(self)).as_ref().map_err(Clone::clone)
    }

    /// The ControlPath.
    pub(crate) fn control(&self) -> &Control {
        self.control.get_or_init(|| {
            let Ok(settings) = self.settings() else { return Control::Nobody };
            let Some(path) = settings.value("controlpath").filter(|p| !p.eq_ignore_ascii_case("none")) else {
                return Control::Nobody;
            };
            let makes = settings.is("controlmaster", &["yes", "true", "auto", "ask", "autoask"]);
            control::look(&self.expand_path(path), makes)
        })
    }

    // The network.

    /// The host ssh connects to.
    ///
    /// # Errors
    /// As [`Evidence::settings`].
    pub fn hostname(&self) -> Fact<String> {
        Ok(self.settings()?.hostname().to_string())
    }

    /// The addresses of the host.
    ///
    /// # Errors
    /// When the network is not to be used, or a proxy resolves the name.
    pub fn resolution(&self) -> Fact<&Result<Vec<SocketAddr>, ResolveError>> {
        let resolve = || {
            self.online()?;
            let settings = self.settings()?;
            if road::proxy_of(settings).is_some() {
                return Err(Unavailable::NotApplicable { why: "a proxy connects, and resolves the name".into() });
            }
            let family = road::family(settings);
            let until = self.time_to_talk()?;
            Ok(self.ledger.step("resolve", || resolve::resolve(settings.hostname(), settings.port(), family, until)))
        };
        self.resolution.get_or_init(resolve).as_ref().map_err(Clone::clone)
    }

    /// What was said with the server.
    ///
    /// # Errors
    /// When the network is not to be used, or the settings are not known.
    pub fn conversation(&self) -> Fact<&Conversation> {
        let talk = || {
            self.online()?;
            self.settings()?;
            if let Ok(Err(_)) = self.resolution() {
                return Err(Unavailable::blocked(CheckId::NameResolution, "the name does not resolve"));
            }
            self.time_to_talk()?;
            if let Some(failure) = road::missing_proxy_program(self) {
                return Ok(Conversation { road: Some(failure), ..Conversation::default() });
            }
            if let Some(reason) = road::not_followed(self) {
                return Err(reason);
            }
            Ok(conversation::converse(self))
        };
        self.conversation.get_or_init(talk).as_ref().map_err(Clone::clone)
    }

    /// When our own conversation must end; what is not begun by then cannot be judged.
    fn time_to_talk(&self) -> Fact<Instant> {
        let until = self.conversation_deadline();
        if Instant::now() + LEAST_TALK < until {
            Ok(until)
        } else {
            Err(Unavailable::Unknown { why: "the local checks have spent the time for it".into() })
        }
    }

    /// Starts with what takes long while the local checks run.
    pub fn prewarm(&self) {
        let _ = self.conversation();
    }

    /// The server, when it has introduced itself.
    ///
    /// # Errors
    /// Blocked by the check that failed before.
    pub fn peer(&self) -> Fact<&Peer> {
        let talk = self.conversation()?;
        match &talk.handshake {
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
        let talk = self.conversation()?;
        match self.peer()?.trust {
            Trust::Published | Trust::Configured | Trust::Known => Ok(talk),
            Trust::Contradicts => Err(Unavailable::blocked(
                CheckId::FingerprintMatchesRemote,
                "the server is not who it should be, so it was asked nothing",
            )),
            Trust::Nobody => {
                Err(Unavailable::blocked(CheckId::KnownHosts, "nobody vouches for the server, so it was asked nothing"))
            }
        }
    }

    /// The other ways to the service, tried.
    pub fn alternates(&self) -> &[Alternate] {
        self.alternates.get_or_init(|| endpoints::try_others(self))
    }

    /// What git did.
    ///
    /// # Errors
    /// When it was not asked, or could not be.
    pub fn git_run(&self) -> Fact<&GitRun> {
        self.git_run.get_or_init(|| witness::run(self)).as_ref().map_err(Clone::clone)
    }

    /// What git and ssh complain of, if git was asked and failed.
    pub(crate) fn git_complaint(&self) -> Option<&GitComplaint> {
        let classify = || self.git_run().ok().filter(|run| !run.works).and_then(git_run::classify);
        self.complaint.get_or_init(classify).as_ref()
    }

    /// Whether git runs something in place of ssh that may not be started, so that nobody can say what it does.
    pub(crate) fn runs_unknown_program(&self) -> bool {
        let command = self.ssh_command();
        let opaque = command.started_by_another || matches!(command.kind, ClientKind::Wrapper | ClientKind::Unknown);
        let elsewhere = self.target().is_ok_and(Target::rules_end_ssh);
        !self.may_execute() && (opaque || elsewhere)
    }

    /// git's answer, if it was asked for one.
    pub fn witness(&self) -> Witness {
        match self.git_run.get() {
            _ if self.request.offline => Witness::Offline,
            _ if self.runs_unknown_program() => Witness::Unknowable,
            None | Some(Err(Unavailable::Skipped { .. } | Unavailable::NotApplicable { .. })) => Witness::NotAsked,
            Some(Err(_)) => Witness::Silent,
            Some(Ok(run)) if run.timed_out => Witness::Silent,
            Some(Ok(run)) if run.works => Witness::Worked,
            Some(Ok(run)) => Witness::Failed { got_past: witness::got_past(run) },
        }
    }
}
