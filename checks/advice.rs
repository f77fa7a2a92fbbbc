//! Remedies that several checks give.

use std::path::Path;

use crate::bitbucket::Service;
use crate::facts::Facts;
use crate::facts::conversation::Peer;
use crate::facts::identities::KeySource;
use crate::facts::key_file::KeyState;
use crate::facts::keys::Key;
use crate::facts::ssh_command::CommandSource;
use crate::facts::ssh_config::Position;
use crate::facts::trust::KnownHosts;
use crate::privacy::{Private, Text, is_invisible};
use crate::remedy::{Change, Edit, Remedy, Safety};
use crate::text;

/// Gives the remote another URL; without a remote, names the URL to clone.
pub(crate) fn set_url(facts: &Facts, summary: impl Into<Text>, url: &str) -> Remedy {
    let summary = summary.into();
    match facts.remote_name() {
        Some(remote) => {
            let mut argv: Vec<Text> = vec!["git".into(), "remote".into(), "set-url".into()];
            if facts.has_push_url(&remote) {
                argv.push("--push".into());
            }
            argv.extend([Private::quoted(remote).into(), Private::url(url).into()]);
            Remedy::run("set-url", summary, argv, Safety::Confirm)
        }
        None => {
            let argv = vec!["git".into(), "clone".into(), Private::url(url).into()];
            Remedy::run("use-url", summary, argv, Safety::Manual)
        }
    }
}

/// Makes git use `new` wherever a URL begins with `old`, on the whole machine.
pub(crate) fn rewrite_urls(summary: impl Into<Text>, old: &str, new: &str) -> Remedy {
    let key = text!("url.{}.insteadOf", Private::url(new));
    let argv = vec!["git".into(), "config".into(), "--global".into(), "--add".into(), key, Private::url(old).into()];
    Remedy::run("instead-of", summary, argv, Safety::Safe)
}

/// The command that takes `key` out of a file of git's configuration, or out of the user's own where none is named; with a
/// `value`, only where it has that value.
pub(crate) fn unset(file: Option<&Path>, key: impl Into<Text>, value: Option<Text>) -> Vec<Text> {
    let mut argv: Vec<Text> = vec!["git".into(), "config".into()];
    match file {
        Some(file) => argv.extend(["--file".into(), Private::path(file).into()]),
        None => argv.push("--global".into()),
    }
    if value.is_some() {
        argv.push("--fixed-value".into());
    }
    argv.extend(["--unset-all".into(), key.into()]);
    argv.extend(value);
    argv
}

/// Takes a line out of a file.
pub(crate) fn delete_line(position: &Position, summary: impl Into<Text>) -> Remedy {
    Remedy::edit("delete-line", summary, Edit::delete_line(&position.file, position.line), Safety::Confirm)
}

/// Writes another value in place of a line's.
pub(crate) fn replace_value(position: &Position, summary: impl Into<Text>, indent: &str, line: Text) -> Remedy {
    let indent = indent.chars().map(|c| Text::from(if c == '\t' { "\t" } else { " " }));
    let with = vec![Text::join(indent, "").then(line)];
    let edit = Edit { file: position.file.clone(), change: Change::Replace { line: position.line, with } };
    Remedy::edit("replace-line", summary, edit, Safety::Safe)
}

/// Puts the key that is there into a line that names one in vain: the one that is meant, else the one that the server
/// accepts and ssh does not offer.
pub(crate) fn name_key(facts: &Facts, position: &Position, meant: Option<&Path>) -> Option<Remedy> {
    let missing = || facts.missing_key()?.identity.source.path();
    let line = text!("IdentityFile {}", facts.path_for_config(meant.or_else(missing)?));
    Some(replace_value(position, "Name the key that is there.", &facts.indent(position), line))
}

/// The known_hosts lines of a service's published keys, in case ssh does not know the service by `name` yet.
pub(crate) fn know_service(facts: &Facts, service: &Service, name: &str, summary: &'static str) -> Option<Remedy> {
    let known = facts.known_hosts().ok()?;
    if known.known_services.contains(name) || service.host_keys.is_empty() {
        return None;
    }
    let line = |(algorithm, key): &(String, String)| {
        text!("{} {} {}", Private::host(name), Text::algorithm(algorithm), Private::public_key(key))
    };
    let edit = Edit { file: known.user_file.clone()?, change: Change::Append(service.host_keys.iter().map(line).collect()) };
    Some(Remedy::edit("know-name", summary, edit, Safety::Safe))
}

/// The known_hosts lines that make ssh trust every published key of this server under the name it looks up. `None` when
/// nobody publishes keys for it, or the server has presented another.
pub(crate) fn published_lines(known: &KnownHosts, peer: &Peer) -> Option<Vec<Text>> {
    let line = |(algorithm, key): &(String, String)| {
        text!("{} {} {}", Private::host(&known.entries.name), Text::algorithm(algorithm), Private::public_key(key))
    };
    peer.published.then(|| peer.published_keys.iter().map(line).collect())
}

/// Adds the published keys to the file in which ssh keeps its own.
pub(crate) fn trust_published_keys(known: &KnownHosts, peer: &Peer, summary: &'static str) -> Vec<Remedy> {
    match (published_lines(known, peer), &known.user_file) {
        (Some(lines), Some(file)) => {
            let edit = Edit { file: file.clone(), change: Change::Append(lines) };
            vec![Remedy::edit("add-published-keys", summary, edit, Safety::Safe)]
        }
        (Some(_), None) => vec![Remedy::ask(
            "known-hosts-file",
            "Give UserKnownHostsFile a file that can be written, and add the published keys to it.",
        )],
        (None, _) => vec![Remedy::ask(
            "verify",
            "Compare the fingerprint with the one the host's administrators tell you; if it is the same, connect once with ssh and accept it.",
        )],
    }
}

/// Makes a file of the user's own readable to the user.
pub(crate) fn make_readable(facts: &Facts, file: &Path) -> Vec<Remedy> {
    if let Some(folder) = file.parent().filter(|folder| facts.is_shut_to_me(folder)) {
        let argv = vec!["chmod".into(), "700".into(), Private::path(folder).into()];
        return vec![Remedy::run("chmod-folder", "Give yourself access to the folder.", argv, Safety::Safe)];
    }
    if facts.is_folder(file) {
        return vec![Remedy::ask("replace", "Put an ordinary file in the place of the folder.")];
    }
    let chmod = vec!["chmod".into(), "u+rw".into(), Private::path(file).into()];
    let chown = vec!["sudo".into(), "chown".into(), text!("{}", facts.account.uid), Private::path(file).into()];
    if facts.is_mine(file) {
        vec![Remedy::run("chmod", "Give yourself read access to the file.", chmod, Safety::Safe)]
    } else {
        vec![Remedy::run("chown", "Make yourself its owner.", chown, Safety::Confirm)]
    }
}

/// A block for the user's ssh_config that applies to this host and comes before everything else in the file.
pub(crate) fn host_block(facts: &Facts, lines: Vec<Text>) -> Option<Edit> {
    let file = facts.user_config_file()?;
    let mut block = vec![text!("Host {}", Private::host(facts.typed_host()?))];
    block.extend(lines.into_iter().map(|line| Text::from("    ").then(line)));
    if facts.lines.begins_outside_blocks {
        // What stood at the top applied to every host, and must go on doing so.
        block.push("Host *".into());
    }
    Some(Edit { file, change: Change::Prepend(block) })
}

/// Makes ssh offer this key to this host: by its file, or, for a key that only the agent has, by a file with its public
/// half. With `only`, it is the first key that ssh offers, and no other is that nothing names.
pub(crate) fn use_key(facts: &Facts, identity: &Key, only: bool) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let at_hand = identity.file.as_ref().map(|f| f.path.clone());
    let path = match (&identity.identity.source, &at_hand) {
        (KeySource::File { path } | KeySource::FileInAgent { path }, _) | (KeySource::Agent { .. }, Some(path)) => path.clone(),
        (KeySource::Agent { .. }, None) => {
            let (Some(public), Some(home)) = (identity.public(), facts.account.ssh_home()) else { return remedies };
            let path = home.join(".ssh/bitbucket-agent-key.pub");
            let edit = Edit { file: path.clone(), change: Change::Append(vec![Private::public_key(public.line()).into()]) };
            remedies.push(Remedy::edit(
                "write-public-half",
                "First, put the key's public half into a file, by which ssh can name it.",
                edit,
                Safety::Safe,
            ));
            path
        }
    };
    let mut settings = Vec::new();
    if only {
        settings.push(("IdentitiesOnly", "yes"));
        // Of the keys that are named, ssh shows first those that the agent holds.
        let preferred = facts.named_keys_in_agent(identity);
        if !preferred.is_empty() && identity.file.as_ref().is_some_and(|f| f.state == KeyState::Usable) {
            settings.push(("IdentityAgent", "none"));
        } else {
            let lines = preferred.iter().filter_map(|key| key.position.as_ref());
            remedies.extend(lines.map(|line| delete_line(line, "First, take the line out that names the other key.")));
        }
    }
    let summary =
        if only { "Make ssh offer this key, and no other, to this host." } else { "Make ssh offer this key to this host." };
    let named_first = only && facts.command_names_keys();
    let mut lines = vec![text!("IdentityFile {}", facts.path_for_config(&path))];
    lines.extend(settings.iter().map(|(keyword, value)| text!("{} {}", *keyword, *value)));
    match host_block(facts, lines).filter(|_| !named_first) {
        Some(edit) => {
            if facts.cannot_be_read(&edit.file) {
                remedies.extend(make_readable(facts, &edit.file));
            }
            remedies.push(Remedy::edit("identity-file", summary, edit, Safety::Safe));
        }
        None => {
            let mut options = vec!["-i".to_string(), path.display().to_string()];
            options.extend(settings.iter().flat_map(|(keyword, value)| ["-o".into(), format!("{keyword}={value}")]));
            remedies.push(with_options(facts, summary, &options));
        }
    }
    remedies
}

/// Gives git's ssh command further options, in front of its own.
fn with_options(facts: &Facts, summary: &'static str, options: &[String]) -> Remedy {
    let command = &facts.ssh_command;
    let line = Private::path(command.with_options(options));
    let file = match &command.source {
        CommandSource::GitSshCommand => {
            return Remedy::ask("ssh-command", text!("{} Set GIT_SSH_COMMAND to: {}", summary, line));
        }
        CommandSource::Config(origin) => origin.file.as_ref(),
        CommandSource::GitSsh | CommandSource::Default => None,
    };
    let mut argv: Vec<Text> = vec!["git".into(), "config".into()];
    match file {
        Some(file) => argv.extend(["--file".into(), Private::path(file).into()]),
        None => argv.push("--global".into()),
    }
    argv.extend(["--replace-all".into(), "core.sshCommand".into(), line.into()]);
    Remedy::run("ssh-command", summary, argv, Safety::Confirm)
}

/// The keyword of a configuration line, in its own spelling.
pub(crate) fn keyword_as_written(line: &str) -> String {
    line.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric()).collect()
}

/// The line with no-break spaces as blanks, typographic quotes as plain ones, and without marks nobody sees.
pub(crate) fn without_invisible(line: &str) -> String {
    line.chars()
        .filter_map(|c| match c {
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Some(' '),
            '\u{201c}'..='\u{201f}' => Some('"'),
            '\u{2018}'..='\u{201b}' => Some('\''),
            c if is_invisible(c) => None,
            c => Some(c),
        })
        .collect()
}

/// Takes a line out of /etc/hosts, for the reason that `why` gives.
pub(crate) fn unpin(line: usize, why: &'static str) -> Remedy {
    Remedy::edit("unpin", why, Edit::delete_line("/etc/hosts", line), Safety::Manual)
}
