//! The known_hosts files that ssh reads for this host, and what they say.

use std::path::PathBuf;

use super::Evidence;
use super::known_hosts::{HostEntries, HostKeyLine, Judgement, judge, lookup};
use crate::bitbucket::Kind;
use crate::facts::files::with_suffix;
use crate::unavailable::Unavailable;

/// What ssh knows of the host.
#[derive(Debug)]
pub struct KnownHosts {
    /// Its lines, and what is wrong with others.
    pub entries: HostEntries,
    /// Every file, in ssh's order.
    pub files: Vec<PathBuf>,
    /// Those of UserKnownHostsFile.
    pub user_files: Vec<PathBuf>,
    /// The one to which ssh, or a person, adds keys; `None` when there is none, or it keeps nothing.
    pub user_file: Option<PathBuf>,
    /// Lines for the other names of the same service.
    pub under_other_names: Vec<HostKeyLine>,
    /// Lines for this host in the copies that ssh and ssh-keygen leave (`known_hosts.old`), which nobody reads any more.
    pub leftovers: Vec<HostKeyLine>,
    /// The command whose keys ssh adds to those of the files (KnownHostsCommand); it is not run here.
    pub command: Option<String>,
}

/// Looks the host up under the name and in the files that the settings say.
pub(super) fn gather(evidence: &Evidence) -> Result<KnownHosts, Unavailable> {
    let settings = evidence.settings()?;
    let read = evidence.reading().ok().map(|own| &own.known_hosts_files);
    let files = |keyword: &str| -> Vec<PathBuf> {
        let value = settings.value(keyword).unwrap_or_default();
        let words = || value.split(' ').map(String::from).collect();
        let read = read.and_then(|read| read.get(keyword)).filter(|files| files.join(" ") == value).cloned();
        let named = read.unwrap_or_else(words).into_iter();
        named.filter(|f| !f.is_empty() && !f.eq_ignore_ascii_case("none")).map(|f| evidence.expand_path(&f)).collect()
    };
    let user_files = files("userknownhostsfile");
    let all: Vec<PathBuf> = user_files.iter().cloned().chain(files("globalknownhostsfile")).collect();
    let look_up = |files: &[PathBuf]| match settings.value("hostkeyalias") {
        Some(alias) => lookup(files, alias, 22),
        None => lookup(files, settings.hostname(), settings.port()),
    };
    let entries = look_up(&all);
    let kind = evidence.services().get(settings.hostname()).map(|s| s.kind);
    let siblings =
        evidence.services().iter().filter(|s| Some(s.kind) == kind && s.kind == Kind::Cloud && s.name != settings.hostname());
    let under_other_names = siblings.flat_map(|s| lookup(&all, &s.name, s.port).keys).collect();
    let copies: Vec<PathBuf> = user_files.iter().map(|f| with_suffix(f, ".old")).collect();
    let leftovers = look_up(&copies).keys;
    let user_file = user_files.first().filter(|f| f.as_os_str() != "/dev/null").cloned();
    let command = settings.value("knownhostscommand").filter(|c| !c.eq_ignore_ascii_case("none")).map(String::from);
    Ok(KnownHosts { entries, files: all, user_files, user_file, under_other_names, leftovers, command })
}

impl Evidence {
    /// The user's usual known_hosts file, when it would vouch for the server's key.
    pub(crate) fn trusted_by_usual_known_hosts(&self) -> Option<PathBuf> {
        let (peer, settings) = (self.peer().ok()?, self.settings().ok()?);
        let usual = self.account().ssh_home()?.join(".ssh/known_hosts");
        let name = settings.value("hostkeyalias").map_or((settings.hostname(), settings.port()), |alias| (alias, 22));
        let entries = lookup(std::slice::from_ref(&usual), name.0, name.1);
        matches!(judge(&entries, &peer.host_key.blob), Judgement::Trusted(_)).then_some(usual)
    }
}
