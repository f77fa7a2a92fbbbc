//! Which ssh is imitated: its release and what vendors changed in it.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::super::process::Program;
use super::effective::{Effective, parse};
use super::keywords::AlgorithmList;
use crate::evidence::pattern;

/// The traits of one ssh that change how it reads its configuration.
#[derive(Debug, Clone, Serialize)]
pub struct SshTraits {
    /// The release, major * 100 + minor: 902 for 9.2.
    pub version: u32,
    /// Debian's or Ubuntu's patches: group-writable files, `ProtocolKeepAlives`, other defaults.
    pub debian: bool,
    /// Apple's ssh: `UseKeychain`.
    pub apple: bool,
    /// GSSAPI is compiled in; otherwise its keywords are "unsupported", with a message.
    pub gssapi: bool,
    /// The GSSAPI key exchange patch (`GSSAPIKeyExchange` and others are keywords).
    pub gssapi_patch: bool,
    /// A `ProxyCommand` after `ProxyJump none` takes effect (10.3, and backports).
    pub proxycommand_after_jump_none: bool,
    /// `ProxyJump a b` is read as `a`.
    pub jump_cut_at_space: bool,
    /// `Match host=x` is understood (not by 9.9p1).
    pub match_equals: bool,
    /// `Compression yes` is printed as `UNKNOWN` (9.9).
    pub compression_unknown: bool,
    /// `BatchMode yes` sets `ServerAliveInterval 300` (Debian).
    pub batchmode_sets_alive: bool,
    /// The names `ssh -Q` knows; without them algorithm lists are not examined.
    pub algorithms: Option<AlgorithmNames>,
    /// What `ssh -G -F none` prints; without it the defaults are those of the manual.
    pub defaults: Option<Effective>,
}

/// The algorithm names of one ssh.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AlgorithmNames {
    /// `ssh -Q key-sig`.
    pub key_signature: Vec<String>,
    /// `ssh -Q kex`.
    pub kex: Vec<String>,
    /// `ssh -Q cipher`.
    pub cipher: Vec<String>,
    /// `ssh -Q mac`.
    pub mac: Vec<String>,
}

impl AlgorithmNames {
    /// The first name of a comma-separated `list` that this ssh does not have.
    pub(super) fn unknown<'a>(&self, list: &'a str, kind: AlgorithmList) -> Option<&'a str> {
        let known = match kind {
            AlgorithmList::KeySignature => &self.key_signature,
            AlgorithmList::Kex => &self.kex,
            AlgorithmList::Cipher => &self.cipher,
            AlgorithmList::Mac => &self.mac,
        };
        let wild = kind == AlgorithmList::KeySignature;
        list.split(',').find(|name| !known.iter().any(|k| k == name || (wild && pattern::matches(k, name))))
    }
}

impl Default for SshTraits {
    /// An unpatched OpenSSH 9.9 with GSSAPI, for when there is no ssh to examine.
    fn default() -> Self {
        SshTraits {
            version: 909,
            debian: false,
            apple: false,
            gssapi: true,
            gssapi_patch: false,
            proxycommand_after_jump_none: false,
            jump_cut_at_space: false,
            match_equals: true,
            compression_unknown: false,
            batchmode_sets_alive: false,
            algorithms: None,
            defaults: None,
        }
    }
}

/// Why an ssh could not be examined.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
pub enum ExamineError {
    /// It does not start.
    #[error("it does not start: {0}")]
    Start(String),
    /// It is no OpenSSH; holds the first line of what `-V` prints.
    #[error("it is no OpenSSH")]
    NotOpenSsh(String),
}

impl SshTraits {
    /// What the release alone tells, from what `ssh -V` prints: `OpenSSH_9.2p1 Debian-2, OpenSSL …`,
    /// `OpenSSH_for_Windows_9.5p1, …`. `None` if it is no OpenSSH.
    pub fn from_banner(banner: &str) -> Option<Self> {
        let line = banner.lines().find(|l| l.contains("OpenSSH_"))?;
        let release = &line[line.find("OpenSSH_")? + "OpenSSH_".len()..];
        let release = release.strip_prefix("for_Windows_").unwrap_or(release);
        let (major, tail) = release.split_once('.')?;
        let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (major, minor) = (major.parse::<u32>().ok()?, tail[..digits].parse::<u32>().ok()?);
        let version = major.checked_mul(100)?.checked_add(minor.min(99))?;
        let debian = line.contains("Debian") || line.contains("Ubuntu");
        Some(SshTraits {
            version,
            debian,
            gssapi_patch: debian,
            batchmode_sets_alive: debian,
            proxycommand_after_jump_none: version >= 1003,
            match_equals: !release.starts_with("9.9p1"),
            compression_unknown: version == 909,
            ..SshTraits::default()
        })
    }

    /// Asks the ssh at `program` (a path, or a name in `PATH`): vendors port changes back without changing the release, so
    /// what can be tried is tried. Runs `ssh -V`, `ssh -Q` and `ssh -G -F none`, some fifteen times four milliseconds; no
    /// file of the user is read and nothing is contacted.
    ///
    /// # Errors
    /// If it does not start or is no OpenSSH.
    pub fn examine(program: &Path, deadline: Instant) -> Result<Self, ExamineError> {
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
        ssh.proxycommand_after_jump_none =
            printed(&["ProxyJump=none", "ProxyCommand=after"])?.value("proxycommand") == Some("after");
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

    /// Whether lines are split by the rules that are imitated here, those of 8.7 and later.
    pub fn is_imitated(&self) -> bool {
        self.version >= 807
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_from_every_banner() {
        let version = |banner| SshTraits::from_banner(banner).map(|s| (s.version, s.debian, s.is_imitated()));
        assert_eq!(version("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19"), Some((902, true, true)));
        assert_eq!(version("OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2"), Some((905, false, true)));
        assert_eq!(version("OpenSSH_10.0p2, LibreSSL 3.3.6"), Some((1000, false, true)));
        assert_eq!(version("warning\nOpenSSH_8.6p1, OpenSSL"), Some((806, false, false)));
        assert_eq!(version("Dropbear v2022.83"), None);
        assert_eq!(version("OpenSSH_99999999999.1"), None);
    }
}
