//! What `ssh -G` says: the authority on values. Its output has neither file nor line; [`reconcile`] adds them.

use std::ffi::OsString;

use super::tokens::{TokenContext, expand_tokens};
use crate::machine::process::Program;
use bbdoctor_checks::facts::ssh_config::{ConfigFile, Effective, Evaluation, Question, Setting, SettingSource, Value};

/// Reads what `ssh -G` printed on standard output. Keywords become lower case; a line without a value is one with an empty
/// value.
pub fn parse(stdout: &[u8]) -> Effective {
    let stdout = String::from_utf8_lossy(stdout);
    let parted = stdout.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
    let named = parted.filter(|(keyword, _)| !keyword.is_empty());
    named.map(|(keyword, value)| (keyword.to_ascii_lowercase(), value.to_string())).collect()
}

/// What a `Match exec` command meets when ssh is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Every command fails without being run (`SHELL=/bin/false`).
    False,
    /// Every command succeeds without being run (`SHELL=/bin/true`).
    True,
}

/// The arguments after `ssh` that ask it the same question: `-G [-F …] [-o …] [-p …] [-i …] [user@]host [command]`.
///
/// `-T` is not among them: it would replace the value of RequestTTY.
pub fn arguments(question: &Question<'_>) -> Vec<OsString> {
    let mut argv: Vec<OsString> = vec!["-G".into()];
    match &question.config_file {
        ConfigFile::Default => {}
        ConfigFile::File(file) => argv.extend(["-F".into(), file.into()]),
        ConfigFile::None => argv.extend(["-F".into(), "none".into()]),
    }
    for option in &question.options {
        argv.extend(["-o".into(), option.into()]);
    }
    if let Some(port) = question.port {
        argv.extend(["-p".into(), port.to_string().into()]);
    }
    for file in &question.identity_files {
        argv.extend(["-i".into(), file.into()]);
    }
    argv.push("--".into());
    argv.push(match &question.user {
        Some(user) => format!("{user}@{}", question.host).into(),
        None => question.host.clone().into(),
    });
    argv.extend(question.command.iter().map(OsString::from));
    argv
}

/// The program that asks the ssh at `path` without running any command of a `Match exec`. `$SHELL` must name an executable
/// or ssh stops, hence the folders tried.
pub fn program(path: &std::path::Path, question: &Question<'_>, shell: Shell) -> Program {
    let name = if shell == Shell::False { "false" } else { "true" };
    let shell = ["/bin", "/usr/bin"].iter().map(|folder| format!("{folder}/{name}"));
    let shell = shell.clone().find(|p| crate::machine::files::access(p.as_ref()).is_ok()).unwrap_or_else(|| format!("/bin/{name}"));
    plain_program(path, question).env("SHELL", shell)
}

/// The program that asks the ssh at `path`, in the environment that git's ssh would have.
pub fn plain_program(path: &std::path::Path, question: &Question<'_>) -> Program {
    let program = Program::new(path).args(arguments(question));
    let asked = |name: &std::ffi::OsStr| question.environment.iter().any(|(other, _)| other == name);
    let gone = std::env::vars_os().map(|(name, _)| name).filter(|name| !asked(name));
    let program = gone.fold(program, Program::without_env);
    question.environment.iter().fold(program, |program, (name, value)| program.env(name, value)).env("LC_ALL", "C")
}

/// Joins the values of ssh with the lines of our own reading.
///
/// Every keyword ssh prints becomes a setting with ssh's values. Where our own reading has the same values, they get its
/// sources; otherwise the source is [`SettingSource::Unknown`], which is a defect of ours.
/// An algorithm list that ssh assembles ([`is_assembled`]) is taken to be that of our line.
pub fn reconcile(own: &Evaluation, effective: &Effective, question: &Question<'_>) -> Vec<Setting> {
    let context = TokenContext::new(own, question);
    let normal = |text: &str| -> String {
        let words: Vec<String> =
            text.split(' ').map(|word| expand_tokens(word, &context).unwrap_or_else(|_| word.to_string())).collect();
        match words.join(" ").as_str() {
            "true" => "yes".into(),
            "false" => "no".into(),
            other => other.to_string(),
        }
    };
    effective
        .iter()
        .map(|(keyword, values)| {
            let ours = own.setting(keyword);
            let read = ours.map(|s| s.values.as_slice()).unwrap_or_default();
            let assembled = read.len() == 1 && values.len() == 1 && is_assembled(keyword, &read[0].text);
            let same = read.len() == values.len()
                && (assembled || read.iter().zip(values).all(|(r, v)| r.text == *v || normal(&r.text) == normal(v)));
            let untouched = ours.is_none_or(|s| s.values.is_empty() && s.losers.is_empty());
            let sources: Vec<SettingSource> = if same {
                read.iter().map(|r| r.source.clone()).collect()
            } else if untouched && own.problems.is_empty() {
                vec![SettingSource::Default; values.len()]
            } else {
                vec![SettingSource::Unknown; values.len()]
            };
            Setting {
                keyword: keyword.to_string(),
                values: values.iter().zip(sources).map(|(text, source)| Value { text: text.clone(), source }).collect(),
                losers: ours.map(|s| s.losers.clone()).unwrap_or_default(),
            }
        })
        .collect()
}

/// Whether ssh prints another list than the one written: an algorithm list that edits the default one (`+`, `-`, `^`) or
/// holds wildcards.
pub fn is_assembled(keyword: &str, written: &str) -> bool {
    (keyword.ends_with("algorithms") || matches!(keyword, "ciphers" | "macs"))
        && (written.starts_with(['+', '-', '^']) || written.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::account;
    use crate::machine::environment;
    use crate::openssh::ssh_config::evaluate;
    use bbdoctor_checks::facts::ssh_config::{ExecPolicy, Position, SshTraits};

    fn with_question(config: &str, check: impl FnOnce(&mut Question<'_>)) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), config).expect("written");
        let environment = environment::capture();
        let account = account::read(&environment);
        let ssh = SshTraits::default();
        let mut question = Question {
            user: Some("git".into()),
            config_file: ConfigFile::File(file.path().into()),
            ..Question::new("bb", &account, &environment, &ssh)
        };
        check(&mut question);
    }

    #[test]
    fn values_of_ssh_get_our_lines_and_a_disagreement_is_kept() {
        with_question("Host bb\n Port 443\n StrictHostKeyChecking no\n UserKnownHostsFile ~/k\n User x\n", |question| {
            let own = evaluate(question);
            let heard = parse(b"PORT 444\nstricthostkeychecking false\nuserknownhostsfile ~/k\nuser git\nciphers a\nfoo\n");
            let settings = reconcile(&own, &heard, question);
            let ConfigFile::File(file) = &question.config_file else { unreachable!() };
            let find = |keyword: &str| settings.iter().find(|s| s.keyword == keyword).expect("there");
            let at = |line| SettingSource::File(Position { file: file.clone(), line });
            assert_eq!(find("port").values[0].source, SettingSource::Unknown);
            assert_eq!(find("stricthostkeychecking").values[0].source, at(3));
            assert_eq!(find("userknownhostsfile").values[0].source, at(4));
            assert_eq!(find("user").values[0].source, SettingSource::CommandLine);
            assert_eq!((find("user").losers[0].source.clone(), find("user").losers[0].value.as_str()), (at(5), "x"));
            assert_eq!(
                (find("ciphers").values[0].source.clone(), find("foo").values[0].text.as_str()),
                (SettingSource::Default, "")
            );
        });
    }

    #[test]
    fn asking_ssh_runs_no_command_of_a_match() {
        let folder = tempfile::tempdir().expect("a folder");
        let trace = folder.path().join("ran");
        let config = format!("Match exec \"touch {}\"\nPort 443\n", trace.display());
        with_question(&config, |question| {
            for (policy, shell, port) in
                [(ExecPolicy::AssumeFalse, Shell::False, "22"), (ExecPolicy::AssumeTrue, Shell::True, "443")]
            {
                question.exec = policy;
                let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
                let outcome = program(std::path::Path::new("ssh"), question, shell).run(deadline).expect("ssh starts");
                assert_eq!(parse(&outcome.stdout).value("port"), Some(port));
                let own = evaluate(question);
                assert_eq!((own.value("port"), own.undecided.len()), (Some(port), 1));
            }
        });
        assert!(!trace.exists());
    }

    #[test]
    fn a_host_that_looks_like_an_option_is_none() {
        with_question("", |question| {
            question.user = None;
            question.host = "-oProxyCommand=x".into();
            let argv = arguments(question);
            assert_eq!(argv[argv.len() - 2..], ["--", "-oProxyCommand=x"]);
        });
    }
}
