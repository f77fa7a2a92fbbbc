//! git's pkt-lines (gitprotocol-common(5)): where the head of an advertisement ends.

/// Follows git's pkt-lines (gitprotocol-common(5)) up to the first flush packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PacketLines {
    /// Reading a length of four hexadecimal digits, of which these are there.
    Length(Vec<u8>),
    /// Inside a packet, with so many bytes to come.
    Content(usize),
    /// The flush packet has come.
    Flush,
    /// This is no stream of pkt-lines.
    Broken,
}

impl Default for PacketLines {
    fn default() -> Self {
        PacketLines::Length(Vec::new())
    }
}

impl PacketLines {
    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self {
                PacketLines::Length(digits) => {
                    digits.push(byte);
                    bytes = rest;
                    if digits.len() == 4 {
                        let length = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                        *self = match length.and_then(|d| usize::from_str_radix(d, 16).ok()) {
                            Some(0) => PacketLines::Flush,
                            Some(1..=4) => PacketLines::default(),
                            Some(length) => PacketLines::Content(length - 4),
                            None => PacketLines::Broken,
                        };
                    }
                }
                PacketLines::Content(left) => {
                    let taken = bytes.len().min(*left);
                    bytes = &bytes[taken..];
                    *left -= taken;
                    if *left == 0 {
                        *self = PacketLines::default();
                    }
                }
                PacketLines::Flush | PacketLines::Broken => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkt_lines_are_followed_to_the_flush_however_they_are_cut() {
        let stream = b"000bhello\n\x000008abcd0001000004rest";
        for cut in 0..stream.len() {
            let mut packets = PacketLines::default();
            packets.feed(&stream[..cut]);
            packets.feed(&stream[cut..]);
            assert_eq!(packets, PacketLines::Flush, "cut at {cut}");
        }
        for (bytes, expected) in
            [(&b"conq: no"[..], PacketLines::Broken), (b"+123", PacketLines::Broken), (b"ffff", PacketLines::Content(65531))]
        {
            let mut packets = PacketLines::default();
            packets.feed(bytes);
            assert_eq!(packets, expected);
        }
    }
}
