//! The service: sshd with a forced command that answers like Bitbucket, and servers that misbehave.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use bbdoctor_test_support::start_sshd;

use super::namespace::{SERVICE, chmod};
use super::world::{CLOUD, World};

/// The forced command of every key: `$1` is the account that owns it. Answers like Bitbucket's front end.
/// Files in `rules` change it: `before` is run first, `deny-read.ACCOUNT` and `deny-write.ACCOUNT` refuse with their text,
/// `no-repository` is what a wrong name is answered, `greeting` replaces the answer to a login without a command.
const FRONT_END: &str = r#"#!/bin/sh
account=$1
cd /home/git || exit 1
refuse() { cat "$1" >&2; exit 1; }
if [ -f rules/before ]; then . ./rules/before; fi
case "$SSH_ORIGINAL_COMMAND" in
'')
    if [ -f rules/greeting ]; then cat rules/greeting; exit; fi
    printf 'authenticated via ssh key.\n\nYou can use git to connect to Bitbucket. Shell access is disabled\n' ;;
whoami) echo "$account" ;;
git-upload-pack\ *|git-receive-pack\ *|'git upload-pack '*|'git receive-pack '*)
    name=${SSH_ORIGINAL_COMMAND#*\'}; name=${name%\'*}; name=${name#/}; name=repositories/${name%.git}.git
    if ! [ -d "$name" ]; then
        if [ -f rules/no-repository ]; then refuse rules/no-repository; fi
        echo 'The requested repository either does not exist or you do not have access. If you believe this repository exists and you have access, make sure you'"'"'re authenticated.' >&2
        exit 1
    fi
    if [ -f "rules/deny-read.$account" ]; then refuse "rules/deny-read.$account"; fi
    case "$SSH_ORIGINAL_COMMAND" in
    *receive-pack*)
        if [ -f "rules/deny-write.$account" ]; then refuse "rules/deny-write.$account"; fi
        exec git receive-pack "$name" ;;
    *) exec git upload-pack "$name" ;;
    esac ;;
*) echo 'Invalid command' >&2; exit 1 ;;
esac
"#;

/// How the name server of the case answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Names {
    /// Every name: it does not exist.
    Unknown,
    /// Every name: this address, as a captive portal's server does.
    Address([u8; 4]),
    /// Every name: this address; to a question about another kind of address nothing, ever.
    OnlyAddress([u8; 4]),
    /// Nothing, ever.
    Silent,
}

impl World {
    /// The rule of that name (see [`FRONT_END`]) has this text.
    pub(crate) fn rule(&self, name: &str, text: &str) {
        fs::write(Path::new(SERVICE).join("rules").join(name), format!("{text}\n")).unwrap();
    }

    /// A further line of sshd_config.
    pub(crate) fn sshd(&mut self, line: &str) {
        self.sshd.push(line.into());
    }

    /// The service presents only this host key.
    pub(crate) fn present(&mut self, kind: &str) {
        self.sshd(&format!("HostKey {SERVICE}/host_keys/{kind}"));
    }

    /// Starts the service as arranged, once. A case calls it where something is to happen afterwards.
    pub(crate) fn start(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let lines: String = self.names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
        super::world::etc("hosts", &format!("127.0.0.1 localhost\n{lines}"));
        let folder = Path::new(SERVICE);
        fs::write(folder.join("service"), FRONT_END).unwrap();
        chmod(&folder.join("service"), 0o755);
        fs::write(folder.join("authorized_keys"), self.authorized.join("\n") + "\n").unwrap();
        if self.listen.is_empty() {
            return;
        }
        let mut settings = self.sshd.clone();
        settings.extend(self.listen.iter().map(|(address, port)| format!("ListenAddress {address}:{port}")));
        if !settings.iter().any(|line| line.starts_with("HostKey ")) {
            settings.extend(["ed25519", "ecdsa", "rsa"].map(|kind| format!("HostKey {SERVICE}/host_keys/{kind}")));
        }
        settings.extend(
            [
                "AuthorizedKeysFile /home/git/authorized_keys",
                "AllowUsers git",
                "AcceptEnv GIT_PROTOCOL",
                "StrictModes no",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "UseDNS no",
                "PidFile none",
                "PrintMotd no",
                "PrintLastLog no",
                "MaxStartups 100",
                "LogLevel VERBOSE",
            ]
            .map(String::from),
        );
        fs::write(folder.join("sshd_config"), settings.join("\n") + "\n").unwrap();
        let running = start_sshd(&folder.join("sshd_config"), &folder.join("sshd.log"), self.listen.len());
        self.running = Some(running.expect("the private machine's ports are free"));
    }

    /// Instead of sshd, `answer` serves each connection to the service.
    pub(crate) fn odd_server(&mut self, answer: impl Fn(TcpStream) + Send + Sync + Clone + 'static) {
        self.silence(CLOUD);
        serve(CLOUD, 22, answer);
    }

    /// A name server for what /etc/hosts does not have.
    pub(crate) fn name_server(&self, names: Names) {
        let socket = UdpSocket::bind("127.0.0.53:53").unwrap();
        std::thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                let answer = name_answer(&packet[..length], names);
                // RFC 1035, section 4.1.1: the number of answers.
                let answers = answer[7];
                if !matches!((names, answers), (Names::Silent, _) | (Names::OnlyAddress(_), 0)) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
    }

    /// A thing at the place of the agent, named in the environment; `answer` serves each connection.
    pub(crate) fn odd_agent(&mut self, answer: impl Fn(UnixStream) + Send + Sync + Clone + 'static) {
        let socket = Path::new(super::namespace::HOME).join("agent.sock");
        self.set("SSH_AUTH_SOCK", &socket);
        serve_unix(&socket, answer);
    }
}

/// Serves each connection to a Unix socket at `path` by `answer`.
pub(crate) fn serve_unix(path: &Path, answer: impl Fn(UnixStream) + Send + Sync + Clone + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream));
        }
    });
}

/// Serves each connection to an address by `answer`, each on a thread of its own.
pub(crate) fn serve(address: &str, port: u16, answer: impl Fn(TcpStream) + Send + Sync + Clone + 'static) {
    let listener = TcpListener::bind((address, port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream));
        }
    });
}

/// RFC 1035, section 4: the question again, with "no such name" or one A record.
fn name_answer(query: &[u8], names: Names) -> Vec<u8> {
    let question_end = query.iter().skip(12).position(|byte| *byte == 0).map_or(query.len(), |end| (12 + end + 5).min(query.len()));
    let wants_a = query.get(question_end.saturating_sub(4)..question_end) == Some(&[0, 1, 0, 1]);
    let address = match names {
        Names::Address(address) | Names::OnlyAddress(address) => Some(address).filter(|_| wants_a),
        Names::Unknown | Names::Silent => None,
    };
    let code = if matches!(names, Names::Unknown) { 3 } else { 0 };
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    answer.extend(&query[12..question_end]);
    if let Some(address) = address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address);
    }
    answer
}

/// Holds a connection open and says nothing more.
pub(crate) fn hang(_held: impl Read) {
    std::thread::sleep(Duration::from_secs(3600));
}

/// Introduces itself as an SSH server and waits for the client's introduction and its first packet.
pub(crate) fn introduce(stream: &mut TcpStream) {
    let _ = stream.write_all(b"SSH-2.0-conker_0123456789 cases\r\n");
    let mut read = [0; 4096];
    let _ = stream.read(&mut read);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
    let _ = stream.read(&mut read);
}

/// A relay to the real service that spoils the conversation: `spoil` sees the bytes from the service so far and decides what is passed on.
pub(crate) fn relay(client: TcpStream, to: &str, spoil: impl Fn(usize, &mut Vec<u8>) -> bool) {
    let Ok(mut service) = TcpStream::connect(to) else { return };
    let (mut up_from, mut up_to) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    let mut client = client;
    let mut part = vec![0; 16384];
    let mut passed = 0;
    while let Ok(length) = service.read(&mut part) {
        let mut bytes = part[..length].to_vec();
        if length == 0 || !spoil(passed, &mut bytes) || client.write_all(&bytes).is_err() {
            break;
        }
        passed += length;
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// Ends a connection with a reset instead of an orderly close.
pub(crate) fn reset(stream: TcpStream) {
    let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::Linger, &linger).unwrap();
    drop(stream);
}

/// What sshd has written to its log.
pub(crate) fn log() -> String {
    fs::read_to_string(Path::new(SERVICE).join("sshd.log")).unwrap_or_default()
}
