//! Gathers the facts: the order, what runs beside what, and the deadline.
//!
//! Each gatherer gets its inputs and knows nothing of the whole. What no selected check needs is not gathered.

mod ask;
mod limits;
mod lines;
mod paths;

use bbdoctor_checks::facts::ssh_command::ClientKind;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::git::config;
use crate::git::target;
use crate::machine::Ledger;
use crate::machine::resolve::{AddressFamily, resolve};
use crate::machine::{account, files, platform};
use crate::openssh::ssh_command;
use crate::openssh::ssh_config::{self, TokenContext, evaluate, expand_tokens};
use crate::openssh::trust;
use crate::openssh::{control, keyring, keys, settings};
use crate::server::{alternates, libssh2};
use bbdoctor_checks::bitbucket::{DATA_CENTER_PORT, Services};
use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::connection::ConnectOutcome;
use bbdoctor_checks::facts::control::Control;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::footprint::StepName;
use bbdoctor_checks::facts::git_url::GitUrl;
use bbdoctor_checks::facts::machine::Machine;
use bbdoctor_checks::facts::question::{Asker, ssh_folder};
use bbdoctor_checks::facts::route::proxy_of;
use bbdoctor_checks::facts::settings::{Asked, Expansions, Settings};
use bbdoctor_checks::facts::ssh_command::{SshCommand, Started};
use bbdoctor_checks::facts::ssh_config::{ExpandError, SshTraits};
use bbdoctor_checks::facts::{Clock, Fact, Facts, Found, Request, not_needed};
use bbdoctor_checks::need::Need;
use bbdoctor_checks::unavailable::Unavailable;

use limits::Limits;

/// What a run begins with.
#[derive(Debug)]
pub struct Beginning {
    /// What was asked.
    pub request: Request,
    /// The environment.
    pub environment: Environment,
    /// The hosts that are known.
    pub services: Services,
    /// When the run began.
    pub started: Instant,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// ssh, which says what its configuration comes to.
    Configuration,
    /// The agent, which lists its keys.
    Agent,
    /// The resolver.
    Name,
    /// The server.
    Server {
        /// A key in hardware may want to be touched, or an agent ask.
        touch: bool,
    },
    /// git.
    Git {
        /// A key in hardware may want to be touched, or an agent ask.
        touch: bool,
    },
    /// The other ways to the service.
    Alternates,
}

/// Gathers what `needs` says, within the budget of the request; `watch` is told what is waited for.
pub fn gather(beginning: Beginning, needs: &BTreeSet<Need>, watch: &(dyn Fn(Waiting) + Sync)) -> Facts {
    let (started, began) = (beginning.started, SystemTime::now());
    let clock = Clock { began: began.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()), took_ms: 0 };
    let needs = Needs::of(needs);
    let limits = Limits::of(&beginning);
    let ledger = Ledger::default();
    let mut facts = begin(beginning, clock, needs, limits);
    if needs.settings {
        read_configuration(&mut facts, limits, &ledger, watch);
    }
    if needs.keys || needs.name {
        look_around(&mut facts, needs, limits, &ledger, watch);
    }
    ask::ask(&mut facts, needs, limits, &ledger, watch);
    look_behind(&mut facts, needs, limits, &ledger, watch);
    facts.paths = guarded(|| Ok(paths::gather(&facts))).unwrap_or_default();
    facts.account.owners = guarded(|| Ok(paths::owners(&facts))).unwrap_or_default();
    facts.footprint = ledger.close();
    // From here on nobody asks for more, and a recording may hold no more.
    facts.environment = facts.environment.recorded();
    facts.ssh_command.environment = facts.ssh_command.environment.recorded();
    facts.git_config = facts.git_config.recorded();
    facts.clock.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    facts
}

/// What is needed, what that in its turn needs included.
#[derive(Debug, Clone, Copy)]
struct Needs {
    programs: bool,
    settings: bool,
    keys: bool,
    name: bool,
    server: bool,
    git: bool,
}

impl Needs {
    fn of(needs: &BTreeSet<Need>) -> Self {
        let has = |need| needs.contains(&need);
        let (server, git) = (has(Need::Server), has(Need::Git));
        let keys = server || git || has(Need::Keys);
        Needs {
            programs: git || has(Need::Programs),
            settings: keys || has(Need::Settings) || has(Need::Name),
            keys,
            name: server || has(Need::Name),
            server,
            git,
        }
    }
}

/// Does one step. One that panics, which is a fault of bbdoctor, takes its own fact away and nothing else.
fn guarded<T>(step: impl FnOnce() -> Fact<T>) -> Fact<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| Err(fault()))
}

fn fault() -> Unavailable {
    Unavailable::Unknown { why: "a part of bbdoctor that should have found this out crashed, which is a fault of bbdoctor".into() }
}

/// Who and where this is, git's own configuration, the ssh that git runs, and the target.
fn begin(beginning: Beginning, clock: Clock, needs: Needs, limits: Limits) -> Facts {
    let Beginning { request, environment, services, .. } = beginning;
    let account = account::read(&environment);
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let git_config = config::read(&environment, &folder);
    let until = || limits.may_execute.then(|| limits.program());
    let (git, (ssh_command, traits)) = thread::scope(|scope| {
        let git = needs.programs.then(|| scope.spawn(|| ssh_command::git_program(&environment, &folder, until()).ok()));
        let ssh_command = ssh_command::read(&environment, &git_config, ssh_folder(&git_config, &folder), until());
        let traits = traits(&ssh_command, limits);
        (git.and_then(|git| git.join().ok()?), (ssh_command, traits))
    });
    let machine = Machine {
        os: platform::os(),
        system: platform::system(),
        terminal: platform::terminal(),
        askpass: platform::askpass(&ssh_command.environment),
        ci: platform::ci(&environment),
        package_manager: platform::package_manager(),
        folder,
        system_ssh_folder: platform::system_ssh_folder().into(),
        libssh2: libssh2::version(),
    };
    let asker = Asker {
        account: &account,
        command: &ssh_command,
        traits: &traits,
        folder: ssh_folder(&git_config, &machine.folder),
        system_folder: &machine.system_ssh_folder,
        service_program: request.service_program(),
    };
    let target = target::choose(
        request.target.as_deref(),
        &machine.folder,
        &environment,
        &git_config,
        &services,
        request.pushes(),
        &|url| may_be_bitbucket(&services, &asker, url),
    );
    Facts::begin(request, clock, machine, account, Found { environment, services, git_config, ssh_command, git, traits, target })
}

/// How the ssh that git runs differs from others.
fn traits(command: &SshCommand, limits: Limits) -> SshTraits {
    let Started::Runs { text, openssh: Some(_) } = &command.started else { return SshTraits::default() };
    let examined = command.client_path().and_then(|path| ssh_config::examine(path, limits.program()).ok());
    examined.or_else(|| SshTraits::from_banner(text)).unwrap_or_default()
}

/// Whether a URL leads to Bitbucket as far as can be told before it is followed: by the name of its host or by the name
/// that ssh_config gives it, nearly so by a slip, by a name that only an alias can have, or by Data Center's own port.
fn may_be_bitbucket(services: &Services, asker: &Asker<'_>, url: &GitUrl) -> bool {
    let known = |host: &str| services.get(host).is_some();
    let Some(host) = url.host() else { return false };
    let Some(ssh) = url.ssh() else { return known(host) };
    let by_configuration = || {
        let read = asker.command.reads_ssh_config().then(|| evaluate(&asker.question(ssh)));
        read.is_some_and(|own| own.value("hostname").is_some_and(known))
    };
    known(host)
        || services.looks_like_alias(host)
        || services.near_miss(host).is_some()
        || ssh.port == Some(DATA_CENTER_PORT)
        || by_configuration()
}

/// What ssh's configuration comes to.
fn read_configuration(facts: &mut Facts, limits: Limits, ledger: &Ledger, watch: &(dyn Fn(Waiting) + Sync)) {
    facts.reading = guarded(|| {
        if !facts.ssh_command.reads_ssh_config() {
            return Err(Unavailable::NotApplicable { why: "git runs no OpenSSH, so its configuration does not apply".into() });
        }
        Ok(evaluate(&facts.question()?))
    });
    watch(Waiting::Configuration);
    facts.asked = guarded(|| {
        let (own, question) = (facts.reading()?, facts.question()?);
        let path = facts.ssh_command.client_path().filter(|_| facts.ssh_command.is_openssh());
        let note = |line: String| ledger.started(&line);
        Ok(path.map(|path| settings::ask(path, &question, own, limits.deadline, &note)).unwrap_or_default())
    });
    facts.settings = guarded(|| settle(facts));
    facts.expansions = guarded(|| Ok(expansions(facts))).unwrap_or_default();
    facts.lines = guarded(|| Ok(lines::gather(facts))).unwrap_or_default();
    facts.second_opinion = guarded(|| {
        let (own, question) = (facts.reading()?, facts.question()?);
        let file = paths::user_config_file(&question);
        Ok(file.and_then(|file| ssh_config::second_opinion::second_opinion(&file, own, &question)))
    })
    .unwrap_or_default();
}

fn settle(facts: &Facts) -> Fact<Settings> {
    let (own, question, asked) = (facts.reading()?, facts.question()?, facts.asked()?);
    let Asked { effective, refusal, hangs } = asked;
    if let Some(effective) = effective {
        return Ok(settings::of_ssh(own, effective, &question));
    }
    if *hangs {
        let by = if own.undecided.is_empty() { CheckId::ConfigPermissions } else { CheckId::HostSettings };
        return Err(Unavailable::blocked(by, "ssh does not come to the end of its configuration"));
    }
    if let Some(problem) = own.problems.first() {
        return Err(Unavailable::blocked(problem.kind.check(), "ssh cannot read its configuration"));
    }
    if refusal.is_some() && facts.ssh_command.kind != ClientKind::Wrapper {
        return Err(Unavailable::blocked(CheckId::ConfigSyntax, "ssh refuses its configuration"));
    }
    settings::of_own_reading(&question, own)
}

/// A value of ssh_config with `~` and tokens expanded; as it is where they cannot be.
fn expand(facts: &Facts, written: &str) -> String {
    expanded(facts, written).and_then(Result::ok).unwrap_or_else(|| written.to_string())
}

fn expanded(facts: &Facts, written: &str) -> Option<Result<String, ExpandError>> {
    let (own, question) = (facts.reading().ok()?, facts.question().ok()?);
    Some(expand_tokens(written, &TokenContext::new(own, &question)))
}

/// A path of ssh_config, expanded. A relative one begins where ssh runs.
fn expand_path(facts: &Facts, written: &str) -> PathBuf {
    facts.ssh_folder().join(expand(facts, written))
}

/// The values that checks ask for: every key that is named, whether or not ssh comes to it.
fn expansions(facts: &Facts) -> Expansions {
    let named = facts.settings().into_iter().flat_map(|s| s.identity_files()).map(|file| file.path.clone());
    let given = facts.question().into_iter().flat_map(|question| question.identity_files);
    let held_back = facts.reading().into_iter().flat_map(|own| &own.notes).map(|note| note.text.clone());
    let values = named.chain(given).chain(held_back);
    Expansions::new(values.filter_map(|written| Some((written.clone(), expanded(facts, &written)?))).collect())
}

/// What the settings lead to: agents, keys, known_hosts, ControlPath; and, beside them, the host's name.
fn look_around(facts: &mut Facts, needs: Needs, limits: Limits, ledger: &Ledger, watch: &(dyn Fn(Waiting) + Sync)) {
    let (keyring, keys, known_hosts, control, resolution) = thread::scope(|scope| {
        let facts = &*facts;
        let resolution = needs.name.then(|| scope.spawn(|| look_up(facts, limits, ledger)));
        let known_hosts = scope.spawn(|| guarded(|| if needs.keys { known_hosts(facts) } else { Err(not_needed()) }));
        let control = needs.keys.then(|| scope.spawn(|| guarded(|| Ok(control_path(facts))).unwrap_or(Control::Nobody)));
        if needs.keys {
            watch(Waiting::Agent);
        }
        let keyring = guarded(|| if needs.keys { agents(facts, limits) } else { Err(not_needed()) });
        let keys = guarded(|| keys_at_hand(facts, keyring.as_ref().map_err(Clone::clone)?));
        watch(Waiting::Name);
        let resolution = resolution.map_or_else(|| Err(not_needed()), |looking| looking.join().unwrap_or_else(|_| Err(fault())));
        let known_hosts = known_hosts.join().unwrap_or_else(|_| Err(fault()));
        let control = control.and_then(|looking| looking.join().ok()).unwrap_or(Control::Nobody);
        (keyring, keys, known_hosts, control, resolution)
    });
    (facts.keyring, facts.keys, facts.known_hosts, facts.control) = (keyring, keys, known_hosts, control);
    facts.resolution = resolution;
    facts.hosts_file_line = facts.hostname().ok().and_then(|name| files::hosts_file_line(&name));
}

fn look_up(
    facts: &Facts,
    limits: Limits,
    ledger: &Ledger,
) -> Fact<Result<Vec<std::net::SocketAddr>, bbdoctor_checks::facts::connection::ResolveError>> {
    facts.request.online()?;
    let settings = facts.settings()?;
    if proxy_of(settings).is_some() {
        return Err(Unavailable::NotApplicable { why: "a proxy connects, and resolves the name".into() });
    }
    let until = limits.talk()?;
    Ok(ledger.step(StepName::Resolve, || {
        resolve(settings.hostname(), settings.port(), AddressFamily::wanted(settings.value("addressfamily")), until)
    }))
}

fn agents(facts: &Facts, limits: Limits) -> Fact<bbdoctor_checks::facts::keyring::Keyring> {
    Ok(keyring::gather(&keyring::Inputs {
        identity_agent: facts.settings()?.value("identityagent"),
        environment: &facts.environment,
        ssh_environment: &facts.ssh_command.environment,
        expand: &|path| expand_path(facts, path),
        deadline: limits.deadline,
    }))
}

fn keys_at_hand(facts: &Facts, keyring: &bbdoctor_checks::facts::keyring::Keyring) -> Fact<bbdoctor_checks::facts::keys::Keys> {
    Ok(keys::gather(&keys::Inputs {
        settings: facts.settings()?,
        keyring,
        account: &facts.account,
        traits: &facts.traits,
        can_ask: facts.person_can_type_passphrase(),
        expand: &|path| expand_path(facts, path),
    }))
}

fn known_hosts(facts: &Facts) -> Fact<bbdoctor_checks::facts::trust::KnownHosts> {
    Ok(trust::gather(&trust::Inputs {
        settings: facts.settings()?,
        read: facts.reading().ok().map(|own| &own.known_hosts_files),
        services: &facts.services,
        account: &facts.account,
        expand: &|path| expand_path(facts, path),
    }))
}

fn control_path(facts: &Facts) -> Control {
    let Ok(settings) = facts.settings() else { return Control::Nobody };
    let Some(path) = settings.value("controlpath").filter(|p| !p.eq_ignore_ascii_case("none")) else { return Control::Nobody };
    let makes = settings.is("controlmaster", &["yes", "true", "auto", "ask", "autoask"]);
    control::look(&expand_path(facts, path), makes)
}

/// What is worth knowing once the server is known, or known to be out of reach.
fn look_behind(facts: &mut Facts, needs: Needs, limits: Limits, ledger: &Ledger, watch: &(dyn Fn(Waiting) + Sync)) {
    if !needs.server {
        return;
    }
    if let (Ok(hostname), Ok(())) = (facts.hostname(), facts.request.online()) {
        watch(Waiting::Alternates);
        let inputs = alternates::Inputs {
            hostname: &hostname,
            unreachable: facts.route_fails() || facts.handshake_fails() || facts.name_fails(),
            services: &facts.services,
            deadline: limits.deadline,
            ledger,
        };
        facts.alternates = guarded(|| Ok(alternates::try_others(&inputs))).unwrap_or_default();
    }
    let reached = facts
        .connection_attempts()
        .and_then(|attempts| attempts.iter().find(|a| a.outcome == ConnectOutcome::Connected))
        .map(|a| a.address.ip());
    let compared = facts.settings().ok().filter(|s| s.is_on("checkhostip")).map(Settings::port);
    let by_address = reached.zip(compared).and_then(|(address, port)| {
        let known = facts.known_hosts().ok()?;
        Some(trust::by_address(known, address, port))
    });
    let known_services = facts.known_hosts().ok().filter(|_| !facts.alternates.is_empty()).map(|known| {
        let services: Vec<_> = facts.services.current().into_iter().chain(facts.service()).collect();
        trust::known_services(known, &services)
    });
    if let Ok(known) = &mut facts.known_hosts {
        known.by_address = by_address;
        known.known_services = known_services.unwrap_or_default();
    }
}
