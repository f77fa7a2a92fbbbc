//! What is known of the service, with dates: its host names, its host keys, the words it answers with.
//!
//! Everything that depends on Bitbucket stands here and nowhere else, so that a change of the service is a change of one
//! file. Hosts of one's own (Data Center) and corrections come from `config.toml` through [`Services`].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::finding::Code;

/// A host name of Bitbucket Cloud for Git over SSH.
#[derive(Debug, Clone)]
pub struct CloudHost {
    /// The name.
    pub name: &'static str,
    /// The port.
    pub port: u16,
    /// What became of it.
    pub role: Role,
}

/// What a host name is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The name to use.
    Current,
    /// Was announced to stop answering SSH on this day (ISO 8601); use `by` instead.
    Retired {
        /// The announced last day.
        on: Cow<'static, str>,
        /// Its successor.
        by: Cow<'static, str>,
    },
    /// SSH on the port of HTTPS, for networks that let nothing else out.
    Alternate,
}

/// The three names. The move was announced by Atlassian in 2026 for 2026-11-12.
pub const CLOUD_HOSTS: &[CloudHost] = &[
    CloudHost { name: "ssh.bitbucket.org", port: 22, role: Role::Current },
    CloudHost {
        name: "bitbucket.org",
        port: 22,
        role: Role::Retired { on: Cow::Borrowed("2026-11-12"), by: Cow::Borrowed("ssh.bitbucket.org") },
    },
    CloudHost { name: "altssh.bitbucket.org", port: 443, role: Role::Alternate },
];

/// Where Data Center answers Git over SSH unless its administrator chose another port.
pub const DATA_CENTER_PORT: u16 = 7999;

/// The day these facts were last compared with what Atlassian publishes.
pub const VERIFIED_ON: &str = "2026-11-22";

/// Where the user's own keys are managed.
pub const ACCOUNT_KEYS_PAGE: &str = "https://bitbucket.org/account/settings/ssh-keys/";
/// Where two-step verification is switched on.
pub const TWO_STEP_PAGE: &str = "https://bitbucket.org/account/settings/two-step-verification/manage";
/// Where Atlassian publishes the host keys.
pub const HOST_KEYS_PAGE: &str = "https://bitbucket.org/site/ssh";
/// Where outages are announced.
pub const STATUS_PAGE: &str = "https://bitbucket.status.atlassian.com";

/// What the server of Bitbucket Cloud calls itself in its identification string.
pub const SERVER_SOFTWARE: &str = "conker";

/// A host key that Atlassian publishes, or published once.
#[derive(Debug, Clone, Copy)]
pub struct HostKey {
    /// Its type, as in known_hosts.
    pub algorithm: &'static str,
    /// The key, base64; empty where only the fingerprint is known.
    pub base64: &'static str,
    /// `SHA256:…`, as ssh-keygen prints it.
    pub fingerprint: &'static str,
    /// The day it was retired, if it was.
    pub retired: Option<&'static str>,
}

/// The host keys of Bitbucket Cloud. Source: bitbucket.org/site/ssh and bitbucket.org/blog/ssh-host-key-changes; the same
/// keys serve all three names.
pub const HOST_KEYS: &[HostKey] = &[
    HostKey {
        algorithm: "ssh-ed25519",
        base64: "AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO",
        fingerprint: "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM",
        retired: None,
    },
    HostKey {
        algorithm: "ecdsa-sha2-nistp256",
        base64: "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPIQmuzMBuKdWeF4+a2sjSSpBK0iqitSQ+5BM9KhpexuGt20JpTVM7u5BDZngncgrqDMbWdxMWWOGtZ9UgbqgZE=",
        fingerprint: "SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0",
        retired: None,
    },
    HostKey {
        algorithm: "ssh-rsa",
        base64: "AAAAB3NzaC1yc2EAAAADAQABAAABgQDQeJzhupRu0u0cdegZIa8e86EG2qOCsIsD1Xw0xSeiPDlCr7kq97NLmMbpKTX6Esc30NuoqEEHCuc7yWtwp8dI76EEEB1VqY9QJq6vk+aySyboD5QF61I/1WeTwu+deCbgKMGbUijeXhtfbxSxm6JwGrXrhBdofTsbKRUsrN1WoNgUa8uqN1Vx6WAJw1JHPhglEGGHea6QICwJOAr/6mrui/oB7pkaWKHj3z7d1IC4KWLtY47elvjbaTlkN04Kc/5LFEirorGYVbt15kAUlqGM65pk6ZBxtaO3+30LVlORZkxOh+LKL/BvbZ/iRNhItLqNyieoQj/uh/7Iv4uyH/cV/0b4WDSd3DptigWq84lJubb9t/DnZlrJazxyDCulTmKdOR7vs9gMTo+uoIrPSb8ScTtvw65+odKAlBj59dhnVp9zd7QUojOpXlL62Aw56U4oO+FALuevvMjiWeavKhJqlR7i5n9srYcrNV7ttmDw7kf/97P5zauIhxcjX+xHv4M=",
        fingerprint: "SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E",
        retired: None,
    },
    HostKey {
        algorithm: "ssh-rsa",
        base64: "AAAAB3NzaC1yc2EAAAABIwAAAQEAubiN81eDcafrgMeLzaFPsw2kNvEcqTKl/VqLat/MaB33pZy0y3rJZtnqwR2qOOvbwKZYKiEO1O6VqNEBxKvJJelCq0dTXWT5pbO2gDXC6h6QDXCaHo6pOHGPUy+YBaGQRGuSusMEASYiWunYN0vCAI8QaXnWMXNMdFP3jHAJH0eDsoiGnLPBlBp4TNm6rYI74nMzgz3B9IikW4WVK+dc8KZJZWYjAuORU3jc1c/NPskD2ASinf8v3xnfXeukU0sJ5N6m5E8VLjObPEO+mN2t/FZTMZLiFqPWc/ALSqnMnnhwrNi2rbfg/rd/IpL8Le3pSBne8+seeFVBoGqzHM9yXw==",
        fingerprint: "SHA256:zzXQOXSRBEiUtuE8AikJYKwbHaxvSc0ojez9YXaGp1A",
        retired: Some("2023-06-20"),
    },
    HostKey {
        algorithm: "ssh-dss",
        base64: "",
        fingerprint: "SHA256:RezPkAnH1sowiJM0NQXH90IohWdzHc3fAisEp7L3O3o",
        retired: Some("2023-06-20"),
    },
];

/// The retired key with this fingerprint.
pub fn retired_key(fingerprint: &str) -> Option<&'static HostKey> {
    HOST_KEYS.iter().find(|k| k.retired.is_some() && k.fingerprint == fingerprint)
}

/// Names that people type for Bitbucket's and that do not answer Git over SSH.
pub const MISTAKEN_NAMES: &[&str] = &["bitbucket.com", "www.bitbucket.org", "api.bitbucket.org", "bitbucket.io"];

/// The smallest RSA key that Bitbucket Cloud takes, in bits (Atlassian: supported SSH key formats).
pub const MINIMUM_RSA_BITS: u32 = 2048;

/// Which product a host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// bitbucket.org.
    Cloud,
    /// Bitbucket Data Center or Server, on a host of one's own.
    DataCenter,
}

impl Kind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Cloud => "bitbucket-cloud",
            Kind::DataCenter => "bitbucket-data-center",
        }
    }
}

/// What is known of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name, lower case.
    pub name: String,
    /// The product.
    pub kind: Kind,
    /// The port of its SSH service.
    pub port: u16,
    /// The host keys it may present, as (algorithm, base64), from Atlassian or from `config.toml`; empty: nobody says.
    pub host_keys: Vec<(String, String)>,
    /// The keys come from `config.toml`.
    pub configured: bool,
    /// Another way in, host and port.
    pub alternate: Option<(String, u16)>,
    /// For Cloud: what became of this name.
    pub role: Role,
}

impl Service {
    /// Whether `base64`, a host key's blob as known_hosts has it, is one of [`Self::host_keys`]; padding makes no difference.
    pub fn publishes(&self, base64: &str) -> bool {
        self.host_keys.iter().any(|(_, key)| key.trim_end_matches('=') == base64.trim_end_matches('='))
    }
}

/// One `[hosts."NAME"]` of `config.toml`.
#[derive(Debug, Clone, Default)]
pub struct HostOverride {
    /// Replaces the published keys: `(algorithm, base64)`.
    pub host_keys: Option<Vec<(String, String)>>,
    /// The product.
    pub kind: Option<Kind>,
    /// The port of its SSH service.
    pub port: Option<u16>,
    /// Another way in.
    pub alternate: Option<(String, u16)>,
}

/// Every host that is known, built in or configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services(Vec<Service>);

impl Default for Services {
    fn default() -> Self {
        Services::new([])
    }
}

impl Services {
    /// The built-in hosts with `overrides` laid over them.
    pub fn new(overrides: impl IntoIterator<Item = (String, HostOverride)>) -> Self {
        let published: Vec<_> =
            HOST_KEYS.iter().filter(|k| k.retired.is_none()).map(|k| (k.algorithm.to_string(), k.base64.to_string())).collect();
        let alternate = CLOUD_HOSTS.iter().find(|h| h.role == Role::Alternate).map(|h| (h.name.to_string(), h.port));
        let mut all: Vec<Service> = CLOUD_HOSTS
            .iter()
            .map(|h| Service {
                name: h.name.to_string(),
                kind: Kind::Cloud,
                port: h.port,
                host_keys: published.clone(),
                configured: false,
                alternate: alternate.clone().filter(|_| h.role != Role::Alternate),
                role: h.role.clone(),
            })
            .collect();
        for (name, change) in overrides {
            let name = name.to_ascii_lowercase();
            let index = all.iter().position(|s| s.name == name).unwrap_or_else(|| {
                let kind = change.kind.unwrap_or(Kind::DataCenter);
                let port = if kind == Kind::DataCenter { DATA_CENTER_PORT } else { 22 };
                all.push(Service {
                    name,
                    kind,
                    port,
                    host_keys: if kind == Kind::Cloud { published.clone() } else { Vec::new() },
                    configured: false,
                    alternate: None,
                    role: Role::Current,
                });
                all.len() - 1
            });
            let service = &mut all[index];
            service.kind = change.kind.unwrap_or(service.kind);
            service.port = change.port.unwrap_or(service.port);
            service.alternate = change.alternate.or(service.alternate.take());
            if let Some(keys) = change.host_keys {
                service.host_keys = keys;
                service.configured = true;
            }
        }
        Services(all)
    }

    /// The host of this name, in any case, with or without the final dot of DNS.
    pub fn get(&self, name: &str) -> Option<&Service> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().find(|s| s.name == name)
    }

    /// The host that new URLs should name.
    pub fn current(&self) -> Option<&Service> {
        self.0.iter().find(|s| s.kind == Kind::Cloud && s.role == Role::Current)
    }

    /// Every host.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.iter()
    }

    /// The known name that `name` is probably meant to be: at most two letters apart, or a name people mistake for it.
    pub fn near_miss(&self, name: &str) -> Option<&Service> {
        let name = name.to_ascii_lowercase();
        if self.get(&name).is_some() {
            return None;
        }
        if MISTAKEN_NAMES.contains(&name.as_str()) {
            return self.current();
        }
        // Counting the letters of a name that is much longer would take its time, and megabytes.
        let alike = |s: &&Service| {
            s.name.len().abs_diff(name.chars().count()) <= 2 && (1..=2).contains(&strsim::damerau_levenshtein(&s.name, &name))
        };
        self.0.iter().find(alike)
    }

    /// Whether a host has a name that only an alias of ssh_config can have: no dot, or a name of the service with more to it.
    pub fn looks_like_alias(&self, host: &str) -> bool {
        let more = |name: &str| host.to_ascii_lowercase().contains(name);
        self.get(host).is_none() && self.near_miss(host).is_none() && (!host.contains('.') || self.0.iter().any(|s| more(&s.name)))
    }

    /// The host that a pattern of a `Host` line was probably meant for, if it is none of its names.
    pub fn meant_by(&self, pattern: &str) -> Option<&Service> {
        let name = pattern.trim_start_matches("git@").trim_start_matches("https://").trim_start_matches("ssh://");
        let lower = name.to_ascii_lowercase();
        self.near_miss(&lower)
            .or_else(|| self.get(&lower))
            .or_else(|| lower.split(',').find_map(|part| self.get(part)))
            .filter(|s| s.name != pattern)
    }
}

/// What a refusal of the service means, by its words; `None` for words that say nothing known. Loose on purpose: the
/// wording has changed over the years, and prefixes (`conq:`, `remote:`, `ERROR:`) come and go.
pub fn refusal(words: &str, pushing: bool) -> Option<Code> {
    let words = words.to_ascii_lowercase();
    let says = |part: &str| words.contains(part);
    Some(
        if says("whitelist your ip") || says("allowlist") || says("ip address is not allowed") || says("not allowed from your ip") {
            Code::IpNotAllowed
        } else if says("two-step") || says("two-factor") || says("2fa is required") {
            Code::TwoStepRequired
        } else if says("user limit") {
            Code::UserLimitExceeded
        } else if says("is read-only") || says("read only") || says("write or admin access") || says("read-only access") {
            Code::RepositoryReadOnly
        } else if says("key is not associated") {
            if pushing { Code::RepositoryReadOnly } else { Code::AccessKeyOtherRepository }
        } else if says("access denied")
            || says("you do not have access")
            || says("may not have access")
            || says("forbidden")
            || says("unauthorized")
        {
            Code::RepositoryAccessDenied
        } else if says("repository not found") || says("does not exist") || says("no longer exists") {
            Code::RepositoryNotFound
        } else {
            return None;
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use sha2::Digest as _;

    #[test]
    fn fingerprints_belong_to_the_keys_beside_them() {
        for key in HOST_KEYS.iter().filter(|k| !k.base64.is_empty()) {
            let blob = base64::engine::general_purpose::STANDARD.decode(key.base64).expect("base64");
            let hash = base64::engine::general_purpose::STANDARD_NO_PAD.encode(sha2::Sha256::digest(&blob));
            assert_eq!(key.fingerprint, format!("SHA256:{hash}"), "{}", key.algorithm);
        }
    }

    #[test]
    fn configuration_replaces_keys_and_adds_hosts() {
        let keys = Some(vec![("ssh-ed25519".to_string(), "AAAA".to_string())]);
        let services = Services::new([
            ("Bitbucket.org".to_string(), HostOverride { host_keys: keys, ..HostOverride::default() }),
            ("git.corp.example".to_string(), HostOverride::default()),
        ]);
        let cloud = services.get("BITBUCKET.org.").expect("known");
        assert!(cloud.configured && cloud.publishes("AAAA") && !cloud.publishes(HOST_KEYS[0].base64));
        assert_eq!(services.get("git.corp.example").map(|s| (s.kind, s.port)), Some((Kind::DataCenter, 7999)));
    }

    #[test]
    fn near_misses_are_told_from_other_hosts() {
        let services = Services::default();
        let meant = |name| services.near_miss(name).map(|s| s.name.as_str());
        assert_eq!(meant("bitbuket.org"), Some("bitbucket.org"));
        assert_eq!(meant("bitbucket.com"), Some("ssh.bitbucket.org"));
        assert_eq!(meant("github.com"), None);
        assert_eq!(meant("bitbucket.org"), None);
    }

    #[test]
    fn refusals_are_understood_whatever_their_prefix() {
        for (words, pushing, code) in [
            ("conq: repository access denied. access via a deployment key is read-only.", true, Code::RepositoryReadOnly),
            (
                "repository access denied. deployment key is not associated with the requested repository.",
                false,
                Code::AccessKeyOtherRepository,
            ),
            ("conq: repository does not exist.", false, Code::RepositoryNotFound),
            (
                "Repository not found\nThe requested repository does not exist, or you do not have permission to access it.",
                false,
                Code::RepositoryNotFound,
            ),
            ("To access this repository, an admin must whitelist your IP.", false, Code::IpNotAllowed),
            ("To access this repository, enable two-step verification.", false, Code::TwoStepRequired),
            ("The requested repository either does not exist or you do not have access.", false, Code::RepositoryAccessDenied),
        ] {
            assert_eq!(refusal(words, pushing), Some(code), "{words}");
        }
        assert_eq!(refusal("lfs not enabled", false), None);
    }
}
