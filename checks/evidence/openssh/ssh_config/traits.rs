//! Asks an ssh which one it is and what vendors changed in it.

use std::path::Path;
use std::time::Instant;

use super::effective::parse;
use crate::machine::process::Program;
use crate::openssh::pattern;
use bbdoctor_checks::facts::ssh_config::keywords::AlgorithmList;
use bbdoctor_checks::facts::ssh_config::{AlgorithmNames, SshTraits};

/// Why an ssh could not be examined.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExamineError {
    /// It does not start.
    #[error("it does not start: {0}")]
    Start(String),
    /// It is no OpenSSH; holds the first line of what `-V` prints.
    #[error("it is no OpenSSH")]
    NotOpenSsh(String),
}

/// Asks the ssh at `program` (a path, or a name in `PATH`): vendors port changes back without changing the release, so
/// what can be tried is tried. Runs `ssh -V`, `ssh -Q` and `ssh -G -F none`, some fifteen times four milliseconds; no
/// file of the user is read and nothing is contacted.
///
/// # Errors
/// If it does not start or is no OpenSSH.
pub fn examine(program: &Path, deadline: Instant) -> Result<SshTraits, ExamineError> {
    let run = |args: &[&str]| {
        Program::new(program).args(args).env("LC_ALL", "C").run(deadline).map_err(|e| ExamineError::Start(e.to_string()))
    };
    let banner = run(&["-V"])?;
    let banner = format!("{}\n{}", banner.stderr_text(), banner.stdout_text());
    let mut ssh = SshTraits::from_banner(&banner)
        .ok_or_else(|| ExamineError::NotOpenSsh(banner.lines().find(|l| !l.is_empty()).unwrap_or_default().to_string()))?;
    let ask = |options: &[&str]| {
        let mut args = vec!["-G", "-F", "none"];
        options.iter().for_each(|option| args.extend(["-o", option]));
        args.push("host");
        run(&args)
    };
    let knows = |option: &str| ask(&[option]).map(|o| o.success());
    let defaults = ask(&[])?;
    if !defaults.success() {
        return Ok(ssh);
    }
    ssh.debian = knows("ProtocolKeepAlives=0")?;
    ssh.apple = knows("UseKeychain=no")?;
    ssh.gssapi_patch = knows("GSSAPIKeyExchange=no")?;
    ssh.gssapi = !ask(&["GSSAPIAuthentication=no"])?.stderr_text().contains("Unsupported option");
    let printed = |options: &[&str]| ask(options).map(|o| parse(&o.stdout));
    ssh.proxycommand_after_jump_none = printed(&["ProxyJump=none", "ProxyCommand=after"])?.value("proxycommand") == Some("after");
    ssh.jump_cut_at_space = printed(&["ProxyJump=jump box"])?.value("proxyjump") == Some("jump");
    ssh.compression_unknown = printed(&["Compression=yes"])?.value("compression") == Some("UNKNOWN");
    ssh.batchmode_sets_alive = printed(&["BatchMode=yes"])?.value("serveraliveinterval") == Some("300");
    let names = |list: &str| -> Result<Vec<String>, ExamineError> {
        Ok(run(&["-Q", list])?.stdout_text().lines().map(String::from).collect())
    };
    let algorithms =
        AlgorithmNames { key_signature: names("key-sig")?, kex: names("kex")?, cipher: names("cipher")?, mac: names("mac")? };
    let complete =
        [&algorithms.key_signature, &algorithms.kex, &algorithms.cipher, &algorithms.mac].iter().all(|names| !names.is_empty());
    ssh.algorithms = complete.then_some(algorithms);
    ssh.defaults = Some(parse(&defaults.stdout));
    Ok(ssh)
}

/// The first name of a comma-separated `list` that an ssh with these names does not have.
pub(super) fn unknown<'a>(names: &AlgorithmNames, list: &'a str, kind: AlgorithmList) -> Option<&'a str> {
    let known = match kind {
        AlgorithmList::KeySignature => &names.key_signature,
        AlgorithmList::Kex => &names.kex,
        AlgorithmList::Cipher => &names.cipher,
        AlgorithmList::Mac => &names.mac,
    };
    let wild = kind == AlgorithmList::KeySignature;
    list.split(',').find(|name| !known.iter().any(|k| k == name || (wild && pattern::matches(k, name))))
}
