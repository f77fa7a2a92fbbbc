//! What two peers propose in a key exchange, and what they have in common.

use serde::{Deserialize, Serialize};

/// The lists of a KEXINIT message (RFC 4253 section 7.1), each in its sender's order, names as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KexInit {
    /// Key exchange methods, with the markers that ride along (`ext-info-s`, `kex-strict-s-v00@openssh.com`).
    pub kex_algorithms: Vec<String>,
    /// Types of host key, as signature algorithms.
    pub server_host_key_algorithms: Vec<String>,
    /// Ciphers from client to server.
    pub encryption_client_to_server: Vec<String>,
    /// Ciphers from server to client.
    pub encryption_server_to_client: Vec<String>,
    /// Message authentication codes from client to server.
    pub mac_client_to_server: Vec<String>,
    /// Message authentication codes from server to client.
    pub mac_server_to_client: Vec<String>,
    /// Compression from client to server.
    pub compression_client_to_server: Vec<String>,
    /// Compression from server to client.
    pub compression_server_to_client: Vec<String>,
}

/// Which choice of the key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The key exchange method (`KexAlgorithms`).
    Kex,
    /// The type of host key (`HostKeyAlgorithms`).
    HostKey,
    /// The cipher (`Ciphers`).
    Cipher,
    /// The message authentication code (`MACs`).
    Mac,
    /// `Compression`.
    Compression,
}

const OLD_KEX: &[&str] = &["diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"];

impl Class {
    /// What OpenSSH has and does not offer by itself, the best first: the setting, and the names. DSA is not among them:
    /// newer releases are built without it.
    pub fn off_by_default(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Class::Kex => Some(("KexAlgorithms", OLD_KEX)),
            Class::HostKey => Some(("HostKeyAlgorithms", &["ssh-rsa"])),
            Class::Cipher => Some(("Ciphers", &["aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc"])),
            Class::Mac => Some(("MACs", &["hmac-sha1-96", "hmac-md5", "hmac-md5-96"])),
            Class::Compression => None,
        }
    }
}

/// A choice for which the two sides have nothing in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Which choice.
    pub class: Class,
    /// What this side offered.
    pub ours: Vec<String>,
    /// What the server offered.
    pub theirs: Vec<String>,
}

/// The first choice without common ground, in the order in which OpenSSH chooses (`kex_choose_conf`); `None` when both
/// can agree on everything. A cipher that authenticates by itself needs no MAC.
pub fn disagreement(client: &KexInit, server: &KexInit) -> Option<Disagreement> {
    let chosen = |ours: &[String], theirs: &[String]| ours.iter().find(|name| theirs.contains(name)).cloned();
    let nothing =
        |class, ours: &[String], theirs: &[String]| Some(Disagreement { class, ours: ours.to_vec(), theirs: theirs.to_vec() });
    for (class, ours, theirs) in [
        (Class::Kex, &client.kex_algorithms, &server.kex_algorithms),
        (Class::HostKey, &client.server_host_key_algorithms, &server.server_host_key_algorithms),
    ] {
        if chosen(ours, theirs).is_none() {
            return nothing(class, ours, theirs);
        }
    }
    for (ciphers, macs, compressions) in [
        (
            (&client.encryption_client_to_server, &server.encryption_client_to_server),
            (&client.mac_client_to_server, &server.mac_client_to_server),
            (&client.compression_client_to_server, &server.compression_client_to_server),
        ),
        (
            (&client.encryption_server_to_client, &server.encryption_server_to_client),
            (&client.mac_server_to_client, &server.mac_server_to_client),
            (&client.compression_server_to_client, &server.compression_server_to_client),
        ),
    ] {
        let Some(cipher) = chosen(ciphers.0, ciphers.1) else { return nothing(Class::Cipher, ciphers.0, ciphers.1) };
        let authenticates = cipher.contains("-gcm@") || cipher.starts_with("chacha20-poly1305");
        if !authenticates && chosen(macs.0, macs.1).is_none() {
            return nothing(Class::Mac, macs.0, macs.1);
        }
        if chosen(compressions.0, compressions.1).is_none() {
            return nothing(Class::Compression, compressions.0, compressions.1);
        }
    }
    None
}

/// Why what came is not the identification of an SSH server; the limits are those of OpenSSH's
/// `kex_exchange_identification`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotIdentification {
    /// A NUL, or a carriage return inside a line.
    InvalidCharacters,
    /// A line of more than 8192 bytes.
    LineTooLong,
    /// More than 1024 lines and none of them begins with `SSH-`.
    TooManyLines,
    /// A line that begins with `SSH-` and has no version.
    Malformed,
    /// A version of the protocol other than 2.0 (RFC 4253 section 5: 1.99 also speaks 2.0).
    OldProtocol,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    fn names(list: &str) -> Vec<String> {
        list.split(',').map(str::to_owned).collect()
    }

    /// The lists of a KEXINIT in its order.
    fn proposal(lists: [&str; 8]) -> KexInit {
        let [kex, host_key, encryption_out, encryption_in, mac_out, mac_in, compression_out, compression_in] = lists.map(names);
        KexInit {
            kex_algorithms: kex,
            server_host_key_algorithms: host_key,
            encryption_client_to_server: encryption_out,
            encryption_server_to_client: encryption_in,
            mac_client_to_server: mac_out,
            mac_server_to_client: mac_in,
            compression_client_to_server: compression_out,
            compression_server_to_client: compression_in,
        }
    }

    const LISTS: [&str; 8] = ["k1,k2", "h1", "aes128-ctr,x-gcm@openssh.com", "aes128-ctr", "m1", "m1", "none", "none"];

    #[test]
    fn names_the_first_class_without_common_ground() {
        let ours = proposal(LISTS);
        assert_eq!(disagreement(&ours, &ours), None);
        let mut theirs = ours.clone();
        theirs.mac_server_to_client = names("m9");
        let found = disagreement(&ours, &theirs).expect("a difference");
        assert_eq!((found.class, found.theirs), (Class::Mac, names("m9")));
        theirs.kex_algorithms = names("k9");
        assert_eq!(disagreement(&ours, &theirs).expect("a difference").class, Class::Kex);
    }

    #[test]
    fn a_cipher_that_authenticates_needs_no_mac() {
        let ours = proposal(["k", "h", "x-gcm@openssh.com", "x-gcm@openssh.com", "m1", "m1", "none", "none"]);
        let theirs = proposal(["k", "h", "x-gcm@openssh.com", "x-gcm@openssh.com", "m2", "m2", "none", "none"]);
        assert_eq!(disagreement(&ours, &theirs), None);
    }

    #[test]
    fn is_recorded_and_read_back() {
        let ours = proposal(LISTS);
        survives_json(&ours);
        survives_json(&Disagreement { class: Class::HostKey, ours: ours.kex_algorithms.clone(), theirs: Vec::new() });
        survives_json(&NotIdentification::TooManyLines);
    }
}
