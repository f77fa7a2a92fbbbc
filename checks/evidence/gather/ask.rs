//! Asks the server and git: our own conversation, and git's run, beside it where that harms nothing, else after it.

use bbdoctor_checks::facts::ssh_command::ClientKind;
use std::thread;
use std::time::{Duration, Instant};

use crate::git::run::{self, Master};
use crate::machine::Ledger;
use crate::server::{conversation, route};
use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::control::Control;
use bbdoctor_checks::facts::conversation::Conversation;
use bbdoctor_checks::facts::footprint::StepName;
use bbdoctor_checks::facts::git_run::{GitComplaint, GitRun};
use bbdoctor_checks::facts::identities::{CanSign, Signer};
use bbdoctor_checks::facts::route::{connect_timeout, proxy_of};
use bbdoctor_checks::facts::{Fact, Facts, algorithms, not_needed};
use bbdoctor_checks::privacy::Private;
use bbdoctor_checks::text;
use bbdoctor_checks::unavailable::Unavailable;

use super::{Limits, Needs, Waiting, expand, fault, guarded};

/// How long a handshake may take after the connection stands, where git's run shows what ssh itself waits for.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Our own conversation, and git's run: beside it where that harms nothing, else after it.
pub(super) fn ask(facts: &mut Facts, needs: Needs, limits: Limits, ledger: &Ledger, watch: &(dyn Fn(Waiting) + Sync)) {
    let touch = wants_touch(facts);
    let converse = |facts: &Facts| {
        if !needs.server {
            return Err(not_needed());
        }
        watch(Waiting::Server { touch });
        guarded(|| talk(facts, limits, ledger))
    };
    let run_git = |facts: &Facts| if needs.git { guarded(|| run_git(facts, limits, ledger)) } else { Err(git_left_out()) };
    let beside = needs.server && needs.git && may_run_beside(facts);
    if beside {
        let (conversation, git_run) = thread::scope(|scope| {
            let facts = &*facts;
            let git = scope.spawn(|| run_git(facts));
            let conversation = converse(facts);
            watch(Waiting::Git { touch });
            (conversation, git.join().unwrap_or_else(|_| Err(fault())))
        });
        (facts.conversation, facts.git_run) = (conversation, git_run);
        facts.git_complaint = complaint(facts);
        if may_have_been_in_the_way(facts) {
            facts.git_run = run_git(facts);
        }
    } else {
        facts.conversation = converse(facts);
        if needs.git {
            watch(Waiting::Git { touch });
        }
        facts.git_run = run_git(facts);
    }
    facts.git_complaint = complaint(facts);
}

fn complaint(facts: &Facts) -> Option<GitComplaint> {
    facts.git_run().ok().filter(|run| !run.works).and_then(run::classify)
}

/// Whether a login may make a person touch a key, or answer an agent's question.
fn wants_touch(facts: &Facts) -> bool {
    let hardware = |signer: &CanSign| matches!(signer, CanSign::Yes(Signer::SecurityKey));
    facts.keys().is_ok_and(|keys| {
        keys.offered().any(|key| hardware(&key.identity.can_sign) || key.public().is_some_and(|p| p.is_security_key()))
    })
}

/// Whether git may run while we talk to the server: ssh must refuse an untrusted host key by itself, and nothing that answers
/// once only may be asked twice: an agent, a key in hardware, a person, a proxy.
fn may_run_beside(facts: &Facts) -> bool {
    let (Ok(settings), Ok(keys), Ok(keyring)) = (facts.settings(), facts.keys(), &facts.keyring) else { return false };
    let no_agent = |holder: &Option<bbdoctor_checks::facts::keyring::Holder>| {
        holder.as_ref().is_none_or(|holder| holder.keys.as_ref().is_ok_and(Vec::is_empty) || holder.keys.is_err())
    };
    let by_file = keys.offered().all(|key| matches!(key.identity.can_sign, CanSign::Yes(Signer::File)));
    !facts.accepts_new_host_keys()
        && no_agent(&keyring.used)
        && by_file
        && facts.token_library().is_none()
        && proxy_of(settings).is_none()
        && matches!(facts.control, Control::Nobody)
        && facts.ssh_command.kind == ClientKind::OpenSsh
        && facts.ssh_command.takes_openssh_options()
}

/// Whether git failed in a way that our own connection beside it may explain: the server served us, and hung up on git.
fn may_have_been_in_the_way(facts: &Facts) -> bool {
    let failed = facts.git_run().is_ok_and(|run| !run.works && !run.timed_out && run.transcript.established);
    let served = facts.conversation().is_ok_and(|talk| talk.peer().is_some());
    let hung_up = matches!(
        facts.git_complaint,
        None | Some(GitComplaint::ClosedBeforeBanner { .. } | GitComplaint::LostAfterLogin(_) | GitComplaint::Silent)
    );
    failed && served && hung_up
}

fn talk(facts: &Facts, limits: Limits, ledger: &Ledger) -> Fact<Conversation> {
    facts.request.online()?;
    let settings = facts.settings()?;
    let addresses = match facts.resolution() {
        Ok(Err(_)) => return Err(Unavailable::blocked(CheckId::NameResolution, "the name does not resolve")),
        Ok(Ok(addresses)) => addresses.as_slice(),
        Err(_) => &[],
    };
    let deadline = limits.talk()?;
    let (keyring, keys) = (facts.keyring.as_ref().map_err(Clone::clone)?, facts.keys()?);
    let route = route::Inputs {
        settings,
        addresses,
        environment: &facts.environment,
        ssh: facts.ssh_command.client_path(),
        config_file: facts.asker().given_config_file(),
        expand: &|value| expand(facts, value),
    };
    if let Some(failure) = route.missing_program().filter(|_| !limits.may_execute) {
        return Ok(Conversation { route: Some(failure), ..Conversation::default() });
    }
    if let Some(reason) = route::not_followed(settings, limits.may_execute) {
        return Err(reason);
    }
    // ssh's ConnectTimeout covers the handshake too. Without one ssh waits for ever, as git's run shows; where git is not
    // run, it is for us to wait.
    let patience = if limits.may_execute { HANDSHAKE } else { deadline.saturating_duration_since(Instant::now()) };
    let known = facts.known_hosts().ok();
    let path = facts.repository_path();
    Ok(conversation::converse(&conversation::Inputs {
        settings,
        keys,
        keyring,
        known_hosts: known.map(|known| &known.entries),
        services: &facts.services,
        host_key_algorithms: algorithms::host_key_preferences(settings, facts.reading().ok(), known),
        repository_path: path.as_deref(),
        pushes: facts.pushes(),
        route,
        handshake_limit: connect_timeout(settings).map_or(patience, |t| t.min(patience)),
        deadline,
        ledger,
    }))
}

/// The answer where git's run is what no selected check asks for.
fn git_left_out() -> Unavailable {
    Unavailable::Skipped { why: "git was not run: the check git-agrees is left out".into() }
}

/// Runs git, as the user would but without a trace.
fn run_git(facts: &Facts, limits: Limits, ledger: &Ledger) -> Fact<GitRun> {
    if facts.runs_unknown_program() {
        return Err(Unavailable::Unknown {
            why: "--no-exec: git was not run, and what it would start in place of ssh only a run can show".into(),
        });
    }
    if !limits.may_execute {
        return Err(Unavailable::Skipped {
            why: "--no-exec: git was not run, so bbdoctor's own reading is the only witness".into(),
        });
    }
    facts.request.online()?;
    if facts.git.is_none() {
        return Err(Unavailable::Unknown { why: "there is no git on PATH".into() });
    }
    let target = facts.target()?;
    let Some(name) = target.for_git().filter(|_| target.repository.is_some() || target.fault.is_some()) else {
        return Err(Unavailable::NotApplicable { why: "no repository was named that git could be asked about".into() });
    };
    let known_hosts = facts.known_hosts().ok().filter(|_| facts.accepts_new_host_keys());
    let begun = Instant::now();
    let run = run::Invocation {
        target: name,
        verbatim: target.examined_instead.is_some() && !target.rules_end_ssh(),
        push: facts.pushes(),
        folder: &target.folder,
        environment: &facts.environment,
        ssh: &facts.ssh_command,
        repository: facts.git_config.repository(),
        master: match facts.control {
            // A master that cannot be made must be seen to fail.
            Control::Unusable(..) => Master::PersistNone,
            Control::Nobody | Control::NoFolder(_) | Control::Master(_) => Master::StartNone,
        },
        known_hosts: known_hosts.map(|k| k.user_files.as_slice()),
        deadline: limits.deadline,
    }
    .run();
    ledger.record(StepName::Git, begun.elapsed(), run.as_ref().is_ok_and(|run| run.works));
    let run =
        run.map_err(|e| Unavailable::Unknown { why: text!("git could not be started: {}", Private::quoted(e.to_string())) })?;
    ledger.started(&run.command);
    Ok(run)
}
