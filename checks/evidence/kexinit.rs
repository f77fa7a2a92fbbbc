//! What a peer says in clear text, before encryption begins: lines of greeting, its identification and its lists of
//! algorithms. Pure parsing; nothing here touches the network.
//!
//! libssh2 reports every failure of this phase as "Unable to exchange encryption keys"; the bytes themselves say which
//! list had nothing in common.

use serde::Serialize;

/// The most that is kept of any text a peer sent, in bytes.
pub const TEXT_LIMIT: usize = 4096;
/// Lines before the identification that are kept for a report.
const LINES_KEPT: usize = 64;
/// OpenSSH gives up after so many lines before the identification (`SSH_MAX_PRE_BANNER_LINES`).
const LINES_ALLOWED: usize = 1024;
/// OpenSSH's limit for a line before or of the identification (`SSH_MAX_BANNER_LEN`), in bytes.
const LINE_LENGTH: usize = 8192;
/// The largest packet OpenSSH takes (`PACKET_MAX_SIZE`), in bytes.
const PACKET_LENGTH: usize = 256 * 1024;

const SSH_MSG_DISCONNECT: u8 = 1;
const SSH_MSG_KEXINIT: u8 = 20;
const SSH_MSG_NEWKEYS: u8 = 21;

/// Bytes of a peer as text, at most [`TEXT_LIMIT`] of them; what is not UTF-8 is replaced.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_LIMIT)]).into_owned()
}

/// Splits a `string` (RFC 4251 section 5: length, then bytes) off the front; gives it and the rest.
pub fn take_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// Appends a `string` (RFC 4251 section 5).
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The lists of a KEXINIT message (RFC 4253 section 7.1), each in its sender's order, names as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

impl KexInit {
    /// `payload` begins with the message number; `None` unless it is a whole KEXINIT.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (&number, rest) = payload.split_first()?;
        let (_cookie, mut rest) = rest.split_at_checked(16)?;
        if number != SSH_MSG_KEXINIT {
            return None;
        }
        let mut list = || {
            let (names, after) = take_string(rest)?;
            rest = after;
            Some(String::from_utf8_lossy(names).split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect())
        };
        Some(KexInit {
            kex_algorithms: list()?,
            server_host_key_algorithms: list()?,
            encryption_client_to_server: list()?,
            encryption_server_to_client: list()?,
            mac_client_to_server: list()?,
            mac_server_to_client: list()?,
            compression_client_to_server: list()?,
            compression_server_to_client: list()?,
        })
    }
}

/// Which choice of the key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// Reads the lines up to the identification (RFC 4253 section 4.2) as they arrive.
#[derive(Debug, Default)]
pub struct IdentificationReader {
    line: Vec<u8>,
    expect_newline: bool,
    lines: usize,
    preamble: Vec<String>,
    identification: Option<String>,
}

impl IdentificationReader {
    /// Takes the next bytes; returns how many belong to the lines up to and with the identification.
    ///
    /// # Errors
    /// At the first byte at which OpenSSH would give up.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, NotIdentification> {
        for (taken, &byte) in bytes.iter().enumerate() {
            if self.identification.is_some() {
                return Ok(taken);
            }
            match byte {
                b'\r' => self.expect_newline = true,
                b'\n' => self.end_of_line()?,
                0 => return Err(NotIdentification::InvalidCharacters),
                _ if self.expect_newline => return Err(NotIdentification::InvalidCharacters),
                _ if self.line.len() == LINE_LENGTH => return Err(NotIdentification::LineTooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(bytes.len())
    }

    fn end_of_line(&mut self) -> Result<(), NotIdentification> {
        let line = std::mem::take(&mut self.line);
        self.expect_newline = false;
        if line.len() > 4 && line.starts_with(b"SSH-") {
            self.identification = Some(text(&line));
            let version = line[4..].split(|&b| b == b'-').next().unwrap_or_default();
            let mut numbers = version.split(|&b| b == b'.').map(|n| std::str::from_utf8(n).ok()?.parse::<u32>().ok());
            return match (numbers.next().flatten(), numbers.next().flatten()) {
                (Some(2), Some(_)) | (Some(1), Some(99)) => Ok(()),
                (Some(_), Some(_)) => Err(NotIdentification::OldProtocol),
                _ => Err(NotIdentification::Malformed),
            };
        }
        self.lines += 1;
        if self.lines > LINES_ALLOWED {
            return Err(NotIdentification::TooManyLines);
        }
        if self.preamble.len() < LINES_KEPT {
            self.preamble.push(text(&line));
        }
        Ok(())
    }

    /// The identification, once seen: `SSH-protoversion-softwareversion [comments]`.
    pub fn identification(&self) -> Option<&str> {
        self.identification.as_deref()
    }

    /// The first lines before the identification, an unfinished one included unless it is the identification's beginning.
    pub fn preamble(&self) -> Vec<String> {
        let mut lines = self.preamble.clone();
        let unfinished = &self.line[..];
        if !unfinished.is_empty()
            && !unfinished.starts_with(b"SSH-")
            && !b"SSH-".starts_with(unfinished)
            && lines.len() < LINES_KEPT
        {
            lines.push(text(unfinished));
        }
        lines
    }
}

/// What the clear-text packets after the identification say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClearPackets {
    /// The sender's lists.
    pub kexinit: Option<KexInit>,
    /// The sender's last words: reason (RFC 4253 section 11.1) and text.
    pub disconnect: Option<(u32, String)>,
    /// The sender has said that its next packet is encrypted.
    pub newkeys: bool,
}

/// Reads the packets (RFC 4253 section 6) in `bytes`, which begin right after the identification, as far as they are
/// whole and not encrypted.
pub fn clear_packets(mut bytes: &[u8]) -> ClearPackets {
    let mut seen = ClearPackets::default();
    while let Some((packet, rest)) = take_string(bytes).filter(|(p, _)| p.len() <= PACKET_LENGTH) {
        bytes = rest;
        let Some((&padding, content)) = packet.split_first() else { break };
        let Some(payload) = content.len().checked_sub(padding.into()).map(|length| &content[..length]) else { break };
        match payload.split_first() {
            Some((&SSH_MSG_KEXINIT, _)) => seen.kexinit = seen.kexinit.or_else(|| KexInit::parse(payload)),
            Some((&SSH_MSG_DISCONNECT, rest)) => {
                if let Some((reason, rest)) = rest.split_first_chunk::<4>() {
                    let words = take_string(rest).map(|(words, _)| text(words)).unwrap_or_default();
                    seen.disconnect = Some((u32::from_be_bytes(*reason), words));
                }
                break;
            }
            Some((&SSH_MSG_NEWKEYS, _)) => {
                seen.newkeys = true;
                break;
            }
            _ => {}
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(list: &str) -> Vec<String> {
        list.split(',').map(str::to_owned).collect()
    }

    fn packet(payload: &[u8]) -> Vec<u8> {
        let mut content = vec![4];
        content.extend_from_slice(payload);
        content.extend_from_slice(&[0; 4]);
        let mut out = Vec::new();
        put_string(&mut out, &content);
        out
    }

    fn kexinit(lists: [&str; 8]) -> Vec<u8> {
        let mut payload = vec![SSH_MSG_KEXINIT];
        payload.extend_from_slice(&[7; 16]);
        lists.iter().chain(&["", ""]).for_each(|list| put_string(&mut payload, list.as_bytes()));
        payload.extend_from_slice(&[0; 5]);
        payload
    }

    const LISTS: [&str; 8] = ["k1,k2", "h1", "aes128-ctr,x-gcm@openssh.com", "aes128-ctr", "m1", "m1", "none", "none"];

    #[test]
    fn finds_kexinit_behind_an_ignored_packet_and_stops_at_newkeys() {
        let mut stream = packet(&[2, 0, 0, 0, 0]);
        stream.extend(packet(&kexinit(LISTS)));
        stream.extend(packet(&[SSH_MSG_NEWKEYS]));
        stream.extend([0xff; 100]);
        let seen = clear_packets(&stream);
        let lists = seen.kexinit.expect("lists");
        assert_eq!(lists.kex_algorithms, ["k1", "k2"]);
        assert_eq!(lists.compression_server_to_client, ["none"]);
        assert!(seen.newkeys && seen.disconnect.is_none());
    }

    #[test]
    fn reads_the_servers_last_words() {
        let mut payload = vec![SSH_MSG_DISCONNECT, 0, 0, 0, 12];
        put_string(&mut payload, b"Too many \xff connections");
        assert_eq!(clear_packets(&packet(&payload)).disconnect, Some((12, "Too many \u{fffd} connections".into())));
    }

    #[test]
    fn names_the_first_class_without_common_ground() {
        let ours = KexInit::parse(&kexinit(LISTS)).expect("lists");
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
        let ours = KexInit::parse(&kexinit(["k", "h", "x-gcm@openssh.com", "x-gcm@openssh.com", "m1", "m1", "none", "none"]));
        let theirs = KexInit::parse(&kexinit(["k", "h", "x-gcm@openssh.com", "x-gcm@openssh.com", "m2", "m2", "none", "none"]));
        assert_eq!(disagreement(&ours.expect("ours"), &theirs.expect("theirs")), None);
    }

    #[test]
    fn the_identification_is_found_behind_other_lines_and_bytes_after_it_are_left() {
        let mut reader = IdentificationReader::default();
        let taken = reader.feed(b"welcome\r\nmind the gap\nSSH-2.0-x y\r\nREST").expect("fine");
        assert_eq!(taken, 35);
        assert_eq!((reader.identification(), reader.preamble().len()), (Some("SSH-2.0-x y"), 2));
    }

    #[test]
    fn gives_up_where_openssh_does() {
        let judged = |bytes: &[u8]| IdentificationReader::default().feed(bytes).unwrap_err();
        assert_eq!(judged(b"a\0b"), NotIdentification::InvalidCharacters);
        assert_eq!(judged(b"a\rb\n"), NotIdentification::InvalidCharacters);
        assert_eq!(judged(&[b'x'; 8193]), NotIdentification::LineTooLong);
        assert_eq!(judged(&b"x\n".repeat(1025)), NotIdentification::TooManyLines);
        assert_eq!(judged(b"SSH-1.5-old\n"), NotIdentification::OldProtocol);
        assert_eq!(judged(b"SSH-3.0-new\n"), NotIdentification::OldProtocol);
        assert_eq!(judged(b"SSH-zwei\n"), NotIdentification::Malformed);
        assert!(IdentificationReader::default().feed(b"SSH-1.99-both\n").is_ok());
        assert!(IdentificationReader::default().feed(&b"x\n".repeat(1024)).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2000), cut in 0usize..2000) {
            let mut whole = packet(&kexinit(LISTS));
            whole.truncate(cut);
            whole.extend(&bytes);
            clear_packets(&whole);
            clear_packets(&bytes);
            let _ = IdentificationReader::default().feed(&bytes);
        }
    }
}
