//! Which ssh is imitated: its release, what vendors changed in it, and what it says itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The traits of one ssh that change how it reads its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Whether lines are split by the rules that are imitated here, those of 8.7 and later.
    pub fn is_imitated(&self) -> bool {
        self.version >= 807
    }
}

/// The output of `ssh -G`: values by keyword.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effective(BTreeMap<String, Vec<String>>);

impl Effective {
    /// The first value of `keyword` (lower case).
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword)?.first().map(String::as_str)
    }

    /// All values of `keyword`.
    pub fn values(&self, keyword: &str) -> Vec<&str> {
        self.0.get(keyword).map(|v| v.iter().map(String::as_str).collect()).unwrap_or_default()
    }

    /// The keywords, in lower case.
    pub fn keywords(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Every keyword with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(keyword, values)| (keyword.as_str(), values.as_slice()))
    }
}

impl FromIterator<(String, String)> for Effective {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(lines: I) -> Self {
        let mut out = Effective::default();
        for (keyword, value) in lines {
            out.0.entry(keyword).or_default().push(value);
        }
        out
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
