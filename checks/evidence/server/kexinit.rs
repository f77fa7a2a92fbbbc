//! What a peer says in clear text, before encryption begins: lines of greeting, its identification and its lists of
//! algorithms. Pure parsing; nothing here touches the network.
//!
//! libssh2 reports every failure of this phase as "Unable to exchange encryption keys"; the bytes themselves say which
//! list had nothing in common.

use bbdoctor_checks::facts::kexinit::{KexInit, NotIdentification};

use crate::openssh::wire::{take_string, text};

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

/// The lists of a KEXINIT message. `payload` begins with the message number; `None` unless it is a whole KEXINIT.
pub fn kexinit(payload: &[u8]) -> Option<KexInit> {
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
            Some((&SSH_MSG_KEXINIT, _)) => seen.kexinit = seen.kexinit.or_else(|| kexinit(payload)),
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
    use crate::openssh::wire::put_string;
    use proptest::prelude::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        let mut content = vec![4];
        content.extend_from_slice(payload);
        content.extend_from_slice(&[0; 4]);
        let mut out = Vec::new();
        put_string(&mut out, &content);
        out
    }

    fn message(lists: [&str; 8]) -> Vec<u8> {
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
        stream.extend(packet(&message(LISTS)));
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
            let mut whole = packet(&message(LISTS));
            whole.truncate(cut);
            whole.extend(&bytes);
            clear_packets(&whole);
            clear_packets(&bytes);
            let _ = IdentificationReader::default().feed(&bytes);
        }
    }
}
