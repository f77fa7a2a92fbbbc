//! How single values are read and in which words `ssh -G` shows them. Errors are the words ssh prints after the position.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::OnceLock;

use crate::machine::files;

/// A time: `60`, `1m30s`, `2h`, `1d`, `1w` (`convtime`). Seconds.
pub(super) fn seconds(text: &str) -> Option<i32> {
    let mut total: i32 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.strip_prefix('+').unwrap_or(rest);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let number: i32 = digits[..end].parse().ok()?;
        let mut after = digits[end..].chars();
        let unit = match after.next().map(|c| c.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86400,
            Some('w') => 604_800,
            Some(_) => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = after.as_str();
    }
    Some(total)
}

/// A size with an optional `K`, `M`, `G`, … (`scan_scaled`). Bytes.
pub(super) fn scaled(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit() && *c != '.') {
        Some((i, c)) if i + c.len_utf8() == text.len() => (&text[..i], c.to_ascii_uppercase()),
        Some(_) => return None,
        None => (text, 'B'),
    };
    let scale = 1u128 << (10 * "BKMGTPE".find(unit)?);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = if whole.is_empty() && !fraction.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let fraction = if fraction.is_empty() {
        0
    } else {
        u128::from(fraction.parse::<u32>().ok()?) * scale / 10u128.pow(fraction.len().min(30) as u32)
    };
    u64::try_from(u128::from(whole) * scale + fraction).ok()
}

/// A whole number from 0 to 2^31 - 1, as `strtonum(3)` reads it.
pub(super) fn integer(text: &str) -> Result<i32, String> {
    let says = |what: &str| format!("integer value {what}.");
    if text.is_empty() {
        return Err(says("missing"));
    }
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(says("invalid"));
    }
    match digits.parse::<i32>() {
        Ok(0) => Ok(0),
        _ if negative => Err(says("too small")),
        Ok(n) => Ok(n),
        Err(_) => Err(says("too large")),
    }
}

/// A port number or the name of a TCP service; 0 is a number here (`a2port`).
pub(super) fn port(text: &str) -> Option<u16> {
    if let Ok(number) = integer(text) {
        return u16::try_from(number).ok();
    }
    static SERVICES: OnceLock<Vec<u8>> = OnceLock::new();
    let services = SERVICES.get_or_init(|| files::read(Path::new("/etc/services")).unwrap_or_default());
    String::from_utf8_lossy(services).lines().find_map(|line| {
        let mut fields = line.split('#').next()?.split_ascii_whitespace();
        let name = fields.next()?;
        let port = fields.next()?.strip_suffix("/tcp")?;
        (name == text || fields.any(|alias| alias == text)).then(|| port.parse().ok())?
    })
}

/// An octal mask; what follows the digits is not looked at (`strtol`).
pub(super) fn mask(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let end = digits.find(|c: char| !('0'..='7').contains(&c)).unwrap_or(digits.len());
    u32::from_str_radix(&digits[..end], 8).ok().filter(|m| *m <= 0o777)
}

/// A log level, as printed: `SILENT` is the first name of QUIET.
pub(super) fn log_level(text: &str) -> Option<&'static str> {
    let upper = text.to_ascii_uppercase();
    Some(match upper.as_str() {
        "SILENT" | "QUIET" => "SILENT",
        "FATAL" => "FATAL",
        "ERROR" => "ERROR",
        "INFO" => "INFO",
        "VERBOSE" => "VERBOSE",
        "DEBUG" | "DEBUG1" => "DEBUG",
        "DEBUG2" => "DEBUG2",
        "DEBUG3" => "DEBUG3",
        _ => return None,
    })
}

/// A syslog facility, as printed.
pub(super) fn facility(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let local = upper.strip_prefix("LOCAL").is_some_and(|n| n.len() == 1 && ("0"..="7").contains(&n));
    (local || ["DAEMON", "USER", "AUTH", "AUTHPRIV"].contains(&upper.as_str())).then_some(upper)
}

/// An escape character, as `vis(3)` prints it.
pub(super) fn escape_character(text: &str) -> Option<String> {
    let byte = match text.as_bytes() {
        b"none" => return Some("none".into()),
        [byte] => *byte,
        [b'^', byte @ 64..128] => byte & 31,
        _ => return None,
    };
    Some(match byte {
        b'\\' => r"\\".into(),
        0..32 => format!(r"\^{}", char::from(byte + 64)),
        127 => r"\^?".into(),
        _ => char::from(byte).to_string(),
    })
}

const QOS: &[(&str, i64)] = &[
    ("none", i64::MAX),
    ("af11", 0x28),
    ("af12", 0x30),
    ("af13", 0x38),
    ("af21", 0x48),
    ("af22", 0x50),
    ("af23", 0x58),
    ("af31", 0x68),
    ("af32", 0x70),
    ("af33", 0x78),
    ("af41", 0x88),
    ("af42", 0x90),
    ("af43", 0x98),
    ("cs0", 0x00),
    ("cs1", 0x20),
    ("cs2", 0x40),
    ("cs3", 0x60),
    ("cs4", 0x80),
    ("cs5", 0xa0),
    ("cs6", 0xc0),
    ("cs7", 0xe0),
    ("ef", 0xb8),
    ("le", 0x01),
    ("lowdelay", 0x10),
    ("throughput", 0x08),
    ("reliability", 0x04),
];

/// A class of service by name or number (`parse_ipqos`), as printed.
pub(super) fn ipqos(text: &str) -> Option<String> {
    if let Some((name, _)) = QOS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Some((*name).to_string());
    }
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16),
        None if text.len() > 1 && text.starts_with('0') => i64::from_str_radix(&text[1..], 8),
        None => text.parse(),
    };
    let number = number.ok().filter(|n| (0..=255).contains(n))?;
    Some(QOS.iter().find(|q| q.1 == number).map_or_else(|| format!("0x{number:02x}"), |q| q.0.to_string()))
}

/// `local[:remote]` of TunnelDevice, as printed.
pub(super) fn tunnel_device(text: &str) -> Option<String> {
    let unit = |text: &str| -> Option<String> {
        if text.eq_ignore_ascii_case("any") { Some("any".into()) } else { integer(text).ok().map(|n| n.to_string()) }
    };
    let (local, remote) = text.split_once(':').unwrap_or((text, "any"));
    Some(format!("{}:{}", unit(local)?, unit(remote)?))
}

/// A domain of CanonicalDomains (`valid_domain`), as kept.
pub(super) fn domain(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("empty domain name".into());
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(format!("domain name \"{text}\" starts with invalid character"));
    }
    if text.contains("..") {
        return Err(format!("domain name \"{text}\" contains consecutive separators"));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
        return Err(format!("domain name \"{text}\" contains invalid characters"));
    }
    let text = text.to_ascii_lowercase();
    Ok(text.strip_suffix('.').map(String::from).unwrap_or(text))
}

/// `host:port` or `host:*` of PermitRemoteOpen.
pub(super) fn remote_open(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, number)) => !host.is_empty() && (number == "*" || port(number).is_some_and(|p| p > 0)),
        None => false,
    }
}

/// `[user@]host[:port]` or `ssh://…`, as `ssh -G` prints the last jump host.
pub(super) fn jump_hop(text: &str) -> Option<String> {
    let uri = text.strip_prefix("ssh://");
    let body = match uri {
        // A path is not allowed, its mere slash is.
        Some(uri) => uri.strip_suffix('/').unwrap_or(uri),
        None => text,
    };
    let (user, rest) = match body.rsplit_once('@') {
        Some(("", _)) => return None,
        Some((user, rest)) => (format!("{user}@"), rest),
        None => (String::new(), body),
    };
    let (host, number) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (host, tail) = inner.split_once(']')?;
            match (tail, tail.strip_prefix(':')) {
                ("", _) => (host, None),
                (_, Some(number)) => (host, Some(number)),
                _ => return None,
            }
        }
        None => match rest.split_once([':', '/']) {
            Some((host, number)) => (host, Some(number)),
            None => (rest, None),
        },
    };
    if host.is_empty() {
        return None;
    }
    let number = match number {
        Some(number) if !number.is_empty() => format!(":{}", port(number).filter(|p| *p > 0)?),
        _ => String::new(),
    };
    let numeric = host.contains(':') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Some(if numeric { format!("{user}[{host}]{number}") } else { format!("{user}{host}{number}") })
}

/// What a forwarding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    Local,
    Remote,
    Dynamic,
}

enum Field<'a> {
    Path(&'a str),
    Name(&'a str),
}

/// A forwarding specification (`parse_forward`), as printed: `[bind:]port|path` and, unless dynamic, `host:port|path`.
/// `${VARIABLE}` must have been expanded.
pub(super) fn forward(listen: &str, connect: Option<&str>, kind: Forward) -> Option<String> {
    let dynamic = kind == Forward::Dynamic || connect.is_none();
    let spec = connect.map_or_else(|| listen.to_string(), |c| format!("{listen}:{c}"));
    if spec.len() > 255 {
        return None;
    }
    let mut fields = Vec::new();
    let mut rest = Some(spec.trim_start());
    while let Some(text) = rest.filter(|t| !t.is_empty()) {
        let (field, after) = match text.strip_prefix('[') {
            Some(inner) => {
                let (field, after) = inner.split_once(']')?;
                (field, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
            }
            None => text.split_once(':').map_or((text, None), |(field, after)| (field, Some(after))),
        };
        fields.push(if field.contains('/') { Field::Path(field) } else { Field::Name(field) });
        rest = after;
    }
    use Field::{Name, Path};
    let bound = |host: &str, p: &str| Some((format!("[{host}]:{}", port(p)?), port(p)?));
    let alone = |p: &str| Some((port(p)?.to_string(), port(p)?));
    let to = |host: &str, p: &str| Some(format!("[{host}]:{}", port(p).filter(|p| *p > 0)?));
    let path = |path: &str| (path.to_string(), 1);
    let ((listen, listen_port), connect) = match fields.as_slice() {
        [Path(l)] if dynamic => (path(l), None),
        [Name(p)] if dynamic => (alone(p)?, None),
        [Name(h) | Path(h), Name(p)] if dynamic => (bound(h, p)?, None),
        [Path(l), Path(c)] if !dynamic => (path(l), Some((*c).to_string())),
        [Name(p), Path(c)] if !dynamic => (alone(p)?, Some((*c).to_string())),
        [Path(l), Name(h) | Path(h), Name(p)] if !dynamic => (path(l), Some(to(h, p)?)),
        [Name(h), Name(p), Path(c)] if !dynamic => (bound(h, p)?, Some((*c).to_string())),
        [Name(p), Name(h) | Path(h), Name(c)] if !dynamic => (alone(p)?, Some(to(h, c)?)),
        [Name(h) | Path(h), Name(p), Name(g) | Path(g), Name(c)] if !dynamic => (bound(h, p)?, Some(to(g, c)?)),
        _ => return None,
    };
    if listen_port == 0 && kind != Forward::Remote {
        return None;
    }
    Some(match (connect, kind) {
        (Some(connect), _) => format!("{listen} {connect}"),
        (None, Forward::Remote) => format!("{listen} [socks]:0"),
        (None, _) => listen,
    })
}

/// A host that is an address, in the form `getnameinfo(3)` prints it; `inet_aton(3)` accepts octal, hex and short forms.
pub(super) fn address(text: &str, family: &str) -> Option<String> {
    let address = match text.parse::<Ipv6Addr>() {
        Ok(v6) => IpAddr::V6(v6),
        Err(_) => IpAddr::V4(inet_aton(text)?),
    };
    let fits = match family {
        "inet" => address.is_ipv4(),
        "inet6" => address.is_ipv6(),
        _ => true,
    };
    fits.then(|| address.to_string())
}

fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text
        .split('.')
        .map(|part| match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None if !part.starts_with(|c: char| c.is_ascii_digit()) => None,
            None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(&part[1..], 8).ok(),
            None => part.parse().ok(),
        })
        .collect::<Option<_>>()?;
    let (last, head) = parts.split_last()?;
    if head.len() > 3 || head.iter().any(|p| *p > 255) || u64::from(*last) >= 1u64 << (8 * (4 - head.len())) {
        return None;
    }
    let high = head.iter().enumerate().map(|(i, p)| p << (24 - 8 * i)).sum::<u32>();
    Some(Ipv4Addr::from(high | last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_all_their_forms() {
        assert_eq!(
            ["60", "1m30s", "2H", "1w", "1y", "", "99999999999", "1m5"].map(seconds),
            [Some(60), Some(90), Some(7200), Some(604_800), None, None, None, Some(65)]
        );
        assert_eq!(
            ["1.5G", "16", "4k", "1X", "", "2E2"].map(scaled),
            [Some(1_610_612_736), Some(16), Some(4096), None, None, None]
        );
        assert_eq!(
            ["+22", "022", "0", "65535", "65536", "-1", "22x", "https"].map(port),
            [Some(22), Some(22), Some(0), Some(65535), None, None, None, Some(443)]
        );
        assert_eq!(["0177", "9", "0177x", "1777", "1000"].map(mask), [Some(0o177), None, Some(0o177), None, None]);
    }

    #[test]
    fn addresses_are_canonical_and_names_are_not_addresses() {
        let any = |text| address(text, "any");
        assert_eq!(any("010.0.0.1").as_deref(), Some("8.0.0.1"));
        assert_eq!(any("10.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(any("FE80::0001").as_deref(), Some("fe80::1"));
        assert_eq!((any("bitbucket.org"), any("1.2.3.4.5"), any("300.1.1.1"), any("")), (None, None, None, None));
        assert_eq!(address("127.0.0.1", "inet6"), None);
    }

    #[test]
    fn forwardings_read_as_ssh_prints_them() {
        assert_eq!(forward("8080", Some("a:80"), Forward::Local).as_deref(), Some("8080 [a]:80"));
        assert_eq!(forward("[::1]:8080", Some("[::2]:80"), Forward::Local).as_deref(), Some("[::1]:8080 [::2]:80"));
        assert_eq!(forward("/run/s", Some("/run/t"), Forward::Local).as_deref(), Some("/run/s /run/t"));
        assert_eq!(forward("0", Some("a:80"), Forward::Local), None);
        assert_eq!(forward("1080", None, Forward::Remote).as_deref(), Some("1080 [socks]:0"));
        assert_eq!(forward("lo:1080", None, Forward::Dynamic).as_deref(), Some("[lo]:1080"));
        assert_eq!(forward("80", Some("a"), Forward::Local), None);
    }
}
