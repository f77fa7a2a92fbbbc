//! Which configuration files ssh refuses because of their owner or mode.
//!
//! The user's own file and files reached by `Include` are judged, by the opened file (links followed); a file given with
//! `-F`, the system-wide file and the folders are not. SettingSource: `read_config_file_depth` of `readconf.c`; Debian's and Ubuntu's
//! `secure_permissions` (user-group-modes.patch).

use std::path::Path;

use crate::machine::files;
use bbdoctor_checks::facts::files::Access;

/// What ssh objects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objection {
    /// The owner is neither root nor the user.
    WrongOwner,
    /// Others, or the group, may write.
    TooOpen,
}

/// Whether a user with real id `uid` may use a configuration file with this owner and mode. Bits for reading do not count.
///
/// `private_group` answers whether the file's group has no member but the user; with Debian's patch (`Some`) such a group
/// may write.
fn objection(access: Access, uid: u32, private_group: Option<&dyn Fn(u32) -> bool>) -> Option<Objection> {
    if access.uid != 0 && access.uid != uid {
        return Some(Objection::WrongOwner);
    }
    let by_others = access.mode & 0o002 != 0;
    let by_group = access.mode & 0o020 != 0 && !private_group.is_some_and(|private| private(access.gid));
    (by_others || by_group).then_some(Objection::TooOpen)
}

/// Whether the group `gid` has exactly one member, the account with id `uid` and the name of the file's owner, by the text
/// of `/etc/passwd` and `/etc/group`.
pub(super) fn is_private_group(passwd: &str, group: &str, gid: u32, uid: u32, owner: u32) -> bool {
    let accounts = || {
        passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, uid, gid) = (fields.next()?, fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            Some((name, uid, gid))
        })
    };
    let primary: Vec<u32> = accounts().filter(|a: &(&str, u32, u32)| a.2 == gid).map(|a| a.1).collect();
    let Some(owner) = accounts().find(|a| a.1 == owner) else { return false };
    let Some(members) = group.lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        (fields.next()?.parse() == Ok(gid)).then(|| fields.next().unwrap_or_default())
    }) else {
        return false;
    };
    let members: Vec<&str> = members.split(',').filter(|m| !m.is_empty()).collect();
    primary.iter().all(|u| *u == uid)
        && members.iter().all(|m| *m == owner.0)
        && members.len() <= 1
        && primary.len() + members.len() > 0
}

/// [`objection`] for this machine; `debian` says whether this ssh has Debian's patch.
pub(super) fn judge(access: Access, uid: u32, debian: bool) -> Option<Objection> {
    let text = |path: &str| String::from_utf8_lossy(&files::read(Path::new(path)).unwrap_or_default()).into_owned();
    let private = |gid| is_private_group(&text("/etc/passwd"), &text("/etc/group"), gid, uid, access.uid);
    objection(access, uid, if debian { Some(&private) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_and_write_bits_count_and_nothing_else() {
        let rule = |uid, mode, me| objection(Access { uid, gid: 5, mode }, me, None);
        for mode in [0o600, 0o644, 0o755, 0o400, 0o444, 0o000] {
            assert_eq!(rule(1000, mode, 1000), None);
            assert_eq!(rule(0, mode, 1000), None);
            assert_eq!(rule(1000, mode, 0), Some(Objection::WrongOwner), "root does not trust others' files");
            assert_eq!(rule(1001, mode, 1000), Some(Objection::WrongOwner));
        }
        for mode in [0o620, 0o602, 0o666, 0o664, 0o777] {
            assert_eq!(rule(1000, mode, 1000), Some(Objection::TooOpen));
        }
    }

    #[test]
    fn debian_lets_a_group_of_one_write() {
        let private: &dyn Fn(u32) -> bool = &|_| true;
        let rule = |mode, private| objection(Access { uid: 1000, gid: 1000, mode }, 1000, Some(private));
        assert_eq!(rule(0o664, private), None);
        assert_eq!(rule(0o664, &|_| false), Some(Objection::TooOpen));
        assert_eq!(rule(0o666, private), Some(Objection::TooOpen));
    }

    #[test]
    fn a_private_group_has_its_owner_and_nobody_else() {
        let passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n";
        let group = "root:x:0:\nann:x:1000:\nbob:x:1001:ann\nteam:x:50:ann,bob\nsolo:x:51:ann\nnone:x:52:\n";
        let private = |gid| is_private_group(passwd, group, gid, 1000, 1000);
        assert!(private(1000) && private(51));
        assert!(!private(1001) && !private(50) && !private(52) && !private(99));
    }
}
