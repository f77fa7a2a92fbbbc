//! Strings as SSH puts them on the wire (RFC 4251 section 5), for the agent's protocol and the server's.

/// The most that is kept of any text a peer sent, in bytes.
pub const TEXT_LIMIT: usize = 4096;
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
