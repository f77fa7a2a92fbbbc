//! Looks the host up in the known_hosts files that ssh reads for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::known_hosts::lookup;
use crate::machine::files;
use bbdoctor_checks::bitbucket::{Kind, Service, Services};
use bbdoctor_checks::facts::account::Account;
use bbdoctor_checks::facts::files::with_suffix;
use bbdoctor_checks::facts::known_hosts::HostEntries;
use bbdoctor_checks::facts::settings::Settings;
use bbdoctor_checks::facts::trust::KnownHosts;

/// What decides on the files and the names.
pub(crate) struct Inputs<'a> {
    pub(crate) settings: &'a Settings,
    /// The files of UserKnownHostsFile and GlobalKnownHostsFile, as our own reading tells them apart.
    pub(crate) read: Option<&'a BTreeMap<String, Vec<String>>>,
    pub(crate) services: &'a Services,
    pub(crate) account: &'a Account,
    /// Expands a path of ssh_config.
    pub(crate) expand: &'a dyn Fn(&str) -> PathBuf,
}

/// Looks the host up under the name and in the files that the settings say.
pub(crate) fn gather(inputs: &Inputs<'_>) -> KnownHosts {
    let Inputs { settings, services, account, expand, .. } = *inputs;
    let named = |keyword: &str| -> Vec<PathBuf> {
        let value = settings.value(keyword).unwrap_or_default();
        let words = || value.split(' ').map(String::from).collect();
        let read = inputs.read.and_then(|read| read.get(keyword)).filter(|files| files.join(" ") == value).cloned();
        let named = read.unwrap_or_else(words).into_iter();
        named.filter(|f| !f.is_empty() && !f.eq_ignore_ascii_case("none")).map(|f| expand(&f)).collect()
    };
    let user_files = named("userknownhostsfile");
    let all: Vec<PathBuf> = user_files.iter().cloned().chain(named("globalknownhostsfile")).collect();
    let look_up = |files: &[PathBuf]| match settings.value("hostkeyalias") {
        Some(alias) => lookup(files, alias, 22),
        None => lookup(files, settings.hostname(), settings.port()),
    };
    let below = |home: &Path| home.join(".ssh/known_hosts");
    let usual = account.ssh_home().map(|home| below(&home)).filter(|usual| !user_files.contains(usual));
    let other_home = account.home_variable.as_deref().filter(|home| Some(home.to_path_buf()) != account.ssh_home());
    let kind = services.get(settings.hostname()).map(|s| s.kind);
    let siblings = services.iter().filter(|s| Some(s.kind) == kind && s.kind == Kind::Cloud && s.name != settings.hostname());
    let copies: Vec<PathBuf> = user_files.iter().map(|f| with_suffix(f, ".old")).collect();
    let revoked = settings.value("revokedhostkeys").filter(|p| !p.eq_ignore_ascii_case("none")).map(expand);
    KnownHosts {
        entries: look_up(&all),
        under_other_names: siblings.flat_map(|s| lookup(&all, &s.name, s.port).keys).collect(),
        leftovers: look_up(&copies).keys,
        known_services: BTreeSet::new(),
        by_address: None,
        usual: usual.map(|file| (file.clone(), look_up(&[file]))),
        other_home: other_home.map(|home| lookup(&[below(home)], settings.hostname(), settings.port())),
        command: settings.value("knownhostscommand").filter(|c| !c.eq_ignore_ascii_case("none")).map(String::from),
        unreadable_revocations: revoked.and_then(|path| Some((path.clone(), files::read(&path).err()?.to_string()))),
        user_file: user_files.first().filter(|f| f.as_os_str() != "/dev/null").cloned(),
        user_files,
        files: all,
    }
}

/// The names, of those of `services`, under which the files have a published key of theirs.
pub(crate) fn known_services(known: &KnownHosts, services: &[&Service]) -> BTreeSet<String> {
    let is_known = |service: &&&Service| {
        let published = |entry: &bbdoctor_checks::facts::known_hosts::HostKeyLine| {
            service.publishes(entry.key.line().split(' ').nth(1).unwrap_or_default())
        };
        lookup(&known.files, &service.name, 22).keys.iter().any(published)
    };
    services.iter().filter(is_known).map(|service| service.name.clone()).collect()
}

/// What the files say of an address, which CheckHostIP makes ssh compare too.
pub(crate) fn by_address(known: &KnownHosts, address: IpAddr, port: u16) -> HostEntries {
    lookup(&known.files, &address.to_string(), port)
}
