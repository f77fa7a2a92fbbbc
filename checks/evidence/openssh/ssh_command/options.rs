//! The options of ssh(1) as its `getopt(3)` reads them.

use bbdoctor_checks::facts::ssh_command::SshOptions;

/// Options with an argument, in `ssh.c` of OpenSSH 9.
const WITH_ARGUMENT: &str = "BDEFIJLOPQRSWbceilmopw";

/// Options without one.
const ALONE: &str = "1246AaCfGgKkMNnqsTtVvXxYy";

/// Reads the words after the program's name.
pub(super) fn parse(words: &[String]) -> SshOptions {
    let mut out = SshOptions::default();
    let mut terminals = 0;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(cluster) = word.strip_prefix('-').filter(|c| !c.is_empty()) else {
            // ssh goes on looking for options behind the host.
            out.stray.get_or_insert_with(|| word.clone());
            continue;
        };
        if cluster == "-" {
            out.stray = out.stray.or(words.next().cloned());
            break;
        }
        for (at, letter) in cluster.char_indices() {
            let attached = &cluster[at + letter.len_utf8()..];
            if WITH_ARGUMENT.contains(letter) {
                let value = if attached.is_empty() { words.next().cloned() } else { Some(attached.to_string()) };
                out.all.push(format!("-{letter}"));
                out.all.extend(value.clone());
                match value {
                    Some(value) => argument(&mut out, letter, value),
                    None => out.dangling = Some(letter),
                }
                break;
            }
            out.all.push(format!("-{letter}"));
            match letter {
                '4' | '6' => out.address_family = Some(letter),
                'q' => out.quiet = true,
                'n' | 'f' | 'N' | 's' | 'G' | 'V' => _ = out.unfit.get_or_insert(letter),
                't' => {
                    terminals += 1;
                    if terminals > 1 {
                        out.unfit.get_or_insert(letter);
                    }
                }
                'T' => {
                    terminals = 0;
                    out.unfit = out.unfit.filter(|unfit| *unfit != 't');
                }
                letter if !ALONE.contains(letter) => _ = out.unknown.get_or_insert(letter),
                _ => {}
            }
        }
    }
    out
}

/// Adds an option that has an argument.
fn argument(out: &mut SshOptions, letter: char, value: String) {
    match letter {
        'i' => out.identity_files.push(value),
        'o' => out.options.push(value),
        'F' => out.config_file = Some(value),
        'E' => out.log_file = Some(value),
        'S' => out.control_path = Some(value),
        'c' => out.options.push(format!("Ciphers={value}")),
        'm' => out.options.push(format!("MACs={value}")),
        'b' => out.options.push(format!("BindAddress={value}")),
        'B' => out.options.push(format!("BindInterface={value}")),
        'O' | 'Q' | 'W' => _ = out.unfit.get_or_insert(letter),
        'p' => _ = out.port.get_or_insert(value),
        'l' => _ = out.login.get_or_insert(value),
        'J' => _ = out.jump.get_or_insert(value),
        _ => {}
    }
}
#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn parse(text: &str) -> SshOptions {
        super::parse(&shlex::split(text).expect("words"))
    }

    #[test]
    fn clusters_and_attached_arguments() {
        let options = parse("-4vvi ~/k -iother -oUser=x -o 'Port 9' -F none -p22 -p 23 -qTA6 -l ann -Jb");
        assert_eq!(options.identity_files, ["~/k", "other"]);
        assert_eq!(options.options, ["User=x", "Port 9"]);
        assert_eq!(
            (options.port.as_deref(), options.login.as_deref(), options.jump.as_deref()),
            (Some("22"), Some("ann"), Some("b"))
        );
        assert_eq!((options.address_family, options.quiet), (Some('6'), true));
        assert_eq!(options.stray, None);
        assert_eq!(parse("-v host -- -x").stray.as_deref(), Some("host"));
        assert_eq!((parse("-i").all, parse("-vi").dangling), (vec!["-i".to_string()], Some('i')));
        assert_eq!((parse("-4Z").unknown, parse("--verbose").unknown, parse("-4 -- h").unknown), (Some('Z'), Some('-'), None));
        for (text, unfit) in
            [("-vn", Some('n')), ("-4N -f", Some('N')), ("-t -q", None), ("-tt", Some('t')), ("-ttT", None), ("-W a:1", Some('W'))]
        {
            assert_eq!(parse(text).unfit, unfit, "{text}");
        }
    }

    /// Both spellings must mean the same to the real client.
    #[test]
    fn the_list_means_the_same_to_ssh() {
        for text in [
            "-oUser=x -4vvp22",
            "-c aes128-ctr -m hmac-sha2-256 -b 127.0.0.1 -p 9",
            "-F none -o 'Port 9' -lann -i /k -qC",
            "-AXT -i/a -p 9 -p 8",
        ] {
            let ask = |args: Vec<String>| {
                let out = Command::new("ssh").args(["-F", "none", "-G"]).args(args).arg("h.invalid").output().expect("ssh runs");
                assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
                String::from_utf8_lossy(&out.stdout).into_owned()
            };
            let options = parse(text);
            let said = ask(shlex::split(text).expect("words"));
            assert_eq!(said, ask(options.all.clone()), "{text}");
            let port = options.port.map_or("9".to_string(), |p| p);
            assert!(said.contains(&format!("port {port}\n")), "{text}: {said}");
        }
    }
}
