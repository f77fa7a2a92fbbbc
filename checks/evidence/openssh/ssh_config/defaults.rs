//! What ssh does where nobody sets anything: what `ssh -G -F none host` prints, for when no ssh may be asked.
//!
//! The lists of algorithms are left out; they differ with every build.

use bbdoctor_checks::facts::ssh_config::SshTraits;

/// Settings whose default is one value in every release from 8.7 on, as `ssh -G` prints them.
const DEFAULTS: &[(&str, &str)] = &[
    ("addkeystoagent", "false"),
    ("addressfamily", "any"),
    ("batchmode", "no"),
    ("canonicaldomains", "none"),
    ("canonicalizefallbacklocal", "yes"),
    ("canonicalizehostname", "false"),
    ("canonicalizemaxdots", "1"),
    ("canonicalizepermittedcnames", "none"),
    ("checkhostip", "no"),
    ("clearallforwardings", "no"),
    ("compression", "no"),
    ("connectionattempts", "1"),
    ("connecttimeout", "none"),
    ("controlmaster", "false"),
    ("controlpersist", "no"),
    ("enablesshkeysign", "no"),
    ("escapechar", "~"),
    ("exitonforwardfailure", "no"),
    ("fingerprinthash", "SHA256"),
    ("forkafterauthentication", "no"),
    ("forwardagent", "no"),
    ("forwardx11", "no"),
    ("forwardx11timeout", "1200"),
    ("gatewayports", "no"),
    ("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"),
    ("hashknownhosts", "no"),
    ("hostbasedauthentication", "no"),
    ("identitiesonly", "no"),
    ("kbdinteractiveauthentication", "yes"),
    ("loglevel", "INFO"),
    ("logverbose", "none"),
    ("nohostauthenticationforlocalhost", "no"),
    ("numberofpasswordprompts", "3"),
    ("passwordauthentication", "yes"),
    ("permitlocalcommand", "no"),
    ("permitremoteopen", "any"),
    ("port", "22"),
    ("proxyusefdpass", "no"),
    ("pubkeyauthentication", "true"),
    ("rekeylimit", "0 0"),
    ("requesttty", "auto"),
    ("securitykeyprovider", "internal"),
    ("serveralivecountmax", "3"),
    ("serveraliveinterval", "0"),
    ("sessiontype", "default"),
    ("stdinnull", "no"),
    ("streamlocalbindmask", "0177"),
    ("streamlocalbindunlink", "no"),
    ("stricthostkeychecking", "ask"),
    ("syslogfacility", "USER"),
    ("tcpkeepalive", "yes"),
    ("tunnel", "false"),
    ("tunneldevice", "any:any"),
    ("updatehostkeys", "true"),
    ("verifyhostkeydns", "false"),
    ("visualhostkey", "no"),
];

/// The default values of `keyword` for this ssh: those it was heard to print, else those of the manual. Empty if there are
/// none.
pub(super) fn default_values(keyword: &str, ssh: &SshTraits) -> Vec<String> {
    if let Some(heard) = &ssh.defaults
        && !matches!(keyword, "host" | "hostname" | "user" | "userknownhostsfile")
    {
        return heard.values(keyword).iter().map(|v| (*v).to_string()).collect();
    }
    let own = match keyword {
        "identityfile" => return identity_files(ssh.version),
        "userknownhostsfile" => "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        "requiredrsasize" if ssh.version >= 901 => "1024",
        "enableescapecommandline" if ssh.version >= 902 => "no",
        "obscurekeystroketiming" if ssh.version >= 905 => "yes",
        "forwardx11trusted" if ssh.debian => "yes",
        "forwardx11trusted" => "no",
        "ipqos" if ssh.debian => "lowdelay throughput",
        "ipqos" if ssh.version < 1001 => "af21 cs1",
        "ipqos" => "ef none",
        "gssapiauthentication" | "gssapidelegatecredentials" if ssh.gssapi => "no",
        "gssapikeyexchange" | "gssapitrustdns" | "gssapirenewalforcesrekey" if ssh.gssapi && (ssh.debian || ssh.gssapi_patch) => {
            "no"
        }
        _ => match DEFAULTS.iter().find(|d| d.0 == keyword) {
            Some(default) => default.1,
            None => return Vec::new(),
        },
    };
    vec![own.to_string()]
}

/// The names of the settings with a default.
pub(super) fn keywords(ssh: &SshTraits) -> Vec<String> {
    const MORE: &[&str] = &[
        "identityfile",
        "userknownhostsfile",
        "requiredrsasize",
        "enableescapecommandline",
        "obscurekeystroketiming",
        "forwardx11trusted",
        "ipqos",
        "gssapiauthentication",
        "gssapidelegatecredentials",
        "gssapikeyexchange",
        "gssapitrustdns",
        "gssapirenewalforcesrekey",
    ];
    let own = DEFAULTS.iter().map(|d| d.0).chain(MORE.iter().copied()).map(String::from);
    match &ssh.defaults {
        Some(heard) => heard.keywords().filter(|k| !matches!(*k, "host" | "hostname" | "user")).map(String::from).collect(),
        None => own.collect(),
    }
}

/// The identities tried where no IdentityFile is set (`fill_default_options`).
fn identity_files(version: u32) -> Vec<String> {
    let names: &[&str] = if version >= 1005 {
        &["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "mldsa44_ed25519"]
    } else if version >= 1000 {
        &["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss"]
    } else {
        &["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa"]
    };
    names.iter().map(|name| format!("~/.ssh/id_{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openssh::ssh_config::examine;
    use bbdoctor_checks::facts::ssh_config::Effective;

    #[test]
    fn the_table_is_what_the_installed_ssh_says() {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let ssh = examine(std::path::Path::new("ssh"), deadline).expect("an ssh");
        let heard: Effective = ssh.defaults.clone().expect("defaults");
        let table = SshTraits { defaults: None, ..ssh };
        for keyword in keywords(&table) {
            if matches!(keyword.as_str(), "userknownhostsfile") {
                continue;
            }
            assert_eq!(default_values(&keyword, &table), heard.values(&keyword), "{keyword}");
        }
    }
}
