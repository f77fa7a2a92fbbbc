//! Our own reading of ssh_config against the installed ssh: thousands of generated configurations are read by both, and
//! any difference in outcome, error line, message or value fails. Then the lines named as sources are rewritten, and ssh
//! must follow.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bbdoctor_checks::evidence::account::Account;
use bbdoctor_checks::evidence::environment::Environment;
use bbdoctor_checks::evidence::ssh_config::effective::{self, Effective, Shell, arguments, is_assembled, parse, reconcile};
use bbdoctor_checks::evidence::ssh_config::{ConfigFile, Evaluation, ExecPolicy, Position, Question, Source, SshTraits, evaluate};

/// A small generator of numbers (xorshift), so that a seed names a configuration.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

const HOSTS: &[&str] = &["bitbucket.org", "bb", "bb-work", "altssh.bitbucket.org", "git.example.com", "Bitbucket.org", "10.1", "x"];
const PATTERNS: &[&str] = &[
    "bitbucket.org", "*.bitbucket.org", "bb", "bb*", "bb-????", "*", "!bb", "git.*", "*.org", "Bitbucket.org", "altssh*", "x", "10.*",
    "bitbucket.org,bb", "[ab]b",
];

/// Options with values that need no quotes and no tokens.
const PLAIN: &[(&str, &[&str])] = &[
    ("HostName", &["bitbucket.org", "altssh.bitbucket.org", "Example.COM", "127.0.0.1", "git.example.com"]),
    ("User", &["git", "alice", "bob"]),
    ("Port", &["22", "443", "7999", "https"]),
    ("IdentityFile", &["~/.ssh/id_ed25519", "~/.ssh/work", "/keys/a", "none", "rel"]),
    ("IdentitiesOnly", &["yes", "no", "true", "False"]),
    ("ForwardAgent", &["yes", "no"]),
    ("Compression", &["yes", "no"]),
    ("ConnectTimeout", &["10", "1m", "none", "0"]),
    ("ServerAliveInterval", &["30", "5m", "none"]),
    ("ServerAliveCountMax", &["2", "9"]),
    ("StrictHostKeyChecking", &["yes", "no", "ask", "accept-new", "off"]),
    ("UserKnownHostsFile", &["~/.ssh/known", "/dev/null", "none", "~/.ssh/known_hosts"]),
    ("AddKeysToAgent", &["yes", "no", "ask", "confirm", "1h", "confirm 5m"]),
    ("PreferredAuthentications", &["publickey", "publickey,password"]),
    ("PubkeyAuthentication", &["yes", "no"]),
    ("BatchMode", &["yes", "no"]),
    ("LogLevel", &["QUIET", "info", "DEBUG2", "debug", "error"]),
    ("TCPKeepAlive", &["yes", "no"]),
    ("ProxyJump", &["jump", "u@jump:2222", "a,b:33", "none"]),
    ("ProxyCommand", &["nc %h %p", "none"]),
];

/// The rest, for the fuller profiles.
const FULL: &[(&str, &[&str])] = &[
    ("IdentityAgent", &["none", "SSH_AUTH_SOCK", "~/agent.sock", "$SOCK", "${HOME}/a", "\"~/a b.sock\"", "/run/%u.sock"]),
    ("CertificateFile", &["~/.ssh/a-cert.pub", "/c/%h"]),
    ("ControlPath", &["~/.ssh/cm-%C", "none", "/tmp/%r@%h:%p", "/t/%n-%k-%L-%l-%u-%i-%%", "${HOME}/c"]),
    ("ControlMaster", &["auto", "yes", "no", "ask", "autoask"]),
    ("ControlPersist", &["yes", "no", "10m", "0", "60"]),
    ("HostKeyAlias", &["Bitbucket.org", "alias"]),
    ("HostName", &["%h.example.com", "%h", "100%%", "x-%h", "\"quoted.example.com\""]),
    ("User", &["\"git\"", "'git'", "a\\ b", "us#er"]),
    ("UserKnownHostsFile", &["/a /b", "\"/a b\" ~/c", "~/kh-%h", "${HOME}/k", "~root/kh"]),
    ("GlobalKnownHostsFile", &["/a /b", "none"]),
    ("SendEnv", &["LANG LC_*", "FOO", "-LC_*", "-F*", "A B -A"]),
    ("SetEnv", &["A=1", "A=1 B=2", "\"C=x y\"", "A=2"]),
    ("LocalForward", &["8080 a:80", "localhost:81 b:81", "/run/s c:1", "[::1]:82 [::2]:83"]),
    ("RemoteForward", &["1080", "8080 a:80", "0 a:80"]),
    ("DynamicForward", &["1080", "localhost:1081"]),
    ("HashKnownHosts", &["yes", "no"]),
    ("UpdateHostKeys", &["yes", "no", "ask"]),
    ("VerifyHostKeyDNS", &["yes", "no", "ask"]),
    ("CheckHostIP", &["yes", "no"]),
    ("AddressFamily", &["any", "inet", "inet6"]),
    ("RequestTTY", &["yes", "no", "force", "auto"]),
    ("SessionType", &["none", "default", "subsystem"]),
    ("RemoteCommand", &["none", "echo %h '", "uptime # now"]),
    ("LocalCommand", &["none", "echo \"hi\" # x"]),
    ("PermitLocalCommand", &["yes", "no"]),
    ("KnownHostsCommand", &["none", "/bin/kh %H"]),
    ("RekeyLimit", &["1G 1h", "default none", "500M", "1.5G", "default 5m"]),
    ("EscapeChar", &["none", "^a", "x"]),
    ("IPQoS", &["ef", "af21 cs1", "0x10", "none", "lowdelay throughput", "46 8"]),
    ("TunnelDevice", &["any", "3:4", "any:2", "5"]),
    ("Tunnel", &["yes", "no", "ethernet", "point-to-point"]),
    ("CanonicalDomains", &["a.example B.", "none"]),
    ("CanonicalizeMaxDots", &["0", "3"]),
    ("CanonicalizeFallbackLocal", &["yes", "no"]),
    ("CanonicalizeHostname", &["no"]),
    ("PermitRemoteOpen", &["a:1 b:*", "any", "none"]),
    ("StreamLocalBindMask", &["0177", "077", "0111x"]),
    ("SyslogFacility", &["AUTH", "local3", "user"]),
    ("LogVerbose", &["a:b c:d", "none"]),
    ("FingerprintHash", &["md5", "SHA256"]),
    ("RevokedHostKeys", &["/r", "none"]),
    ("PKCS11Provider", &["/lib/x.so", "none"]),
    ("SecurityKeyProvider", &["internal", "/lib/sk.so", "none"]),
    ("XAuthLocation", &["/bin/xauth"]),
    ("BindAddress", &["127.0.0.1"]),
    ("BindInterface", &["lo"]),
    ("KbdInteractiveDevices", &["bsdauth"]),
    ("NumberOfPasswordPrompts", &["1", "0"]),
    ("ConnectionAttempts", &["1", "010", "4"]),
    ("ClearAllForwardings", &["yes", "no"]),
    ("ExitOnForwardFailure", &["yes", "no"]),
    ("ForwardAgent", &["$SSH_AUTH_SOCK", "/", "${HOME}"]),
    ("ForwardX11", &["yes", "no"]),
    ("ForwardX11Timeout", &["0", "1h"]),
    ("GatewayPorts", &["yes", "no"]),
    ("StdinNull", &["yes", "no"]),
    ("ForkAfterAuthentication", &["no"]),
    ("VisualHostKey", &["yes", "no"]),
    ("RequiredRSASize", &["2048", "0"]),
    ("EnableEscapeCommandline", &["yes", "no"]),
    ("ChallengeResponseAuthentication", &["yes", "no"]),
    ("KeepAlive", &["yes", "no"]),
    ("PubkeyAcceptedKeyTypes", &["+ssh-rsa", "ssh-ed25519", "-ssh-rsa*", "^ssh-ed25519", "rsa-*"]),
    ("HostKeyAlgorithms", &["ssh-ed25519", "+ssh-rsa", "ssh-ed25519,rsa-sha2-512"]),
    ("KexAlgorithms", &["curve25519-sha256", "+diffie-hellman-group14-sha1"]),
    ("Ciphers", &["aes128-ctr", "-aes*"]),
    ("MACs", &["hmac-sha2-256", "^hmac-sha2-512"]),
    ("IgnoreUnknown", &["UseKeychain", "Use*,Foo*", "*"]),
    ("Protocol", &["2"]),
    ("Cipher", &["3des"]),
    ("UseRoaming", &["no"]),
    ("RSAAuthentication", &["yes"]),
    ("PubkeyAuthentication", &["unbound", "host-bound"]),
    ("ProxyJump", &["ssh://u@h:1", "[::1]:22", "a b", "none # x", "a,ssh://b:2", "c # d,e", "1.2.3.4"]),
    ("ProxyCommand", &["nc -x 'a b' %h %p # c", "=ssh x"]),
    ("IdentityFile", &["\"~/My Keys/id\"", "~/.ssh/%r@%h", "${NOPE}/x", "'a'\"b\"", "a#b", "a # b"]),
];

const CRITERIA: &[&str] = &[
    "host bb*", "host bitbucket.org,*.example.com", "!host bb", "originalhost bb", "originalhost B*", "user git", "!user git", "user alice,bob",
    "localuser root", "localuser nobody", "exec \"true\"", "!exec false", "final", "!final", "canonical", "host \"a b\"", "host=bb", "HOST BB",
];

const DEFECTS: &[&str] = &[
    "IdentityFiles ~/x", "UseKeychain yes", "User", "User =", "User \"\"", "User a b", "Port 0", "Port abc", "Port 65536", "Port -1",
    "User \"a", "ProxyCommand echo it's", "// comment", "CheckHostIP maybe", "CheckHostIP \"\"", "ConnectTimeout 1y", "ConnectTimeout \"\"",
    "LogLevel loud", "LogLevel \"\"", "SyslogFacility x", "Match", "Match host", "Match foo bar", "Match all host x", "Match host a user b all",
    "Match final all x", "Host \"\"", "Include \"\"", "LocalForward 80", "LocalForward 80 a", "LocalForward x a:1", "RemoteForward x", "DynamicForward 0",
    "Ciphers foo", "MACs +foo", "KexAlgorithms foo", "HostKeyAlgorithms foo", "PubkeyAcceptedKeyTypes ^foo", "RekeyLimit 8", "RekeyLimit 1X",
    "RekeyLimit 1G 1y", "EscapeChar abc", "IPQoS bogus", "IPQoS ef bogus", "IPQoS a b c", "TunnelDevice x", "TunnelDevice 1:x", "CanonicalDomains none a",
    "CanonicalDomains *", "CanonicalDomains a..b", "CanonicalDomains a/b", "CanonicalizePermittedCNAMEs a", "PermitRemoteOpen a",
    "PermitRemoteOpen any none", "UserKnownHostsFile a none", "UserKnownHostsFile \"\"", "StreamLocalBindMask 9", "StreamLocalBindMask 01777",
    "StreamLocalBindMask \"\"", "ConnectionAttempts -1", "ConnectionAttempts x", "ConnectionAttempts 99999999999", "ConnectionAttempts \"\"",
    "ConnectionAttempts 0", "AddKeysToAgent x", "AddKeysToAgent \"\"", "AddKeysToAgent yes 5", "AddKeysToAgent confirm x", "ControlPersist x",
    "ControlPersist \"\"", "FingerprintHash x", "SendEnv A=1", "SendEnv \"\"", "SetEnv A", "IdentityAgent $a-b", "IdentityAgent ${NOPE}/x",
    "ForwardAgent $", "ForwardAgent ${X", "Compression true", "RequestTTY maybe", "ProxyJump a,", "ProxyJump @h", "ProxyJump a:0", "ProxyJump [::1", "Tag x",
    "\u{feff}User git", "\u{a0}User git", "User\u{a0}git", "F\\oo bar", "Bé x", "HostName %n", "HostName x%", "ControlPath %z", "ControlPath ${NOPE}",
    "ControlPath %", "UserKnownHostsFile %z", "UserKnownHostsFile ~nosuchuser/x", "RemoteCommand %z", "ForwardAgent ~/no\nExitOnForwardFailure yes",
    "ProxyJump bitbucket.org\nHostName bitbucket.org", "ForkAfterAuthentication yes", "StrictHostKeyChecking accept_new", "IdentityFile a b",
    "IdentityFile \"\"", "foo \"bar", "Include /nonexistent/[", "Match exec \"%z\"", "Host a\nBadOne x\n BadTwo y", "GSSAPIFoo yes", "PermitRootLogin no",
];

fn option(dice: &mut Dice, table: &[(&str, &[&str])]) -> String {
    let (keyword, values) = table[dice.roll(table.len())];
    format!("{keyword} {}", dice.one(values))
}

fn dress(dice: &mut Dice, option: &str) -> String {
    let (keyword, value) = option.split_once(' ').unwrap_or((option, ""));
    let keyword = match dice.roll(4) {
        0 => keyword.to_lowercase(),
        1 => keyword.to_uppercase(),
        _ => keyword.to_string(),
    };
    let separator = dice.one(&[" ", " ", " ", "=", " = ", "\t", "  "]);
    let end = dice.one(&["", "", "", "", " ", "\r", " # note", "\t"]);
    format!("{}{keyword}{separator}{value}{end}", dice.one(&["", "    ", "\t"]))
}

fn block(dice: &mut Dice, full: bool) -> String {
    if full && dice.chance(35) {
        let mut line = String::from("Match");
        match dice.roll(6) {
            0 => line += " all",
            1 => line += " final all",
            _ => (0..=dice.roll(2)).for_each(|_| write!(line, " {}", dice.one(CRITERIA)).expect("a string")),
        }
        return line;
    }
    let mut line = String::from("Host");
    for _ in 0..=dice.roll(2) {
        write!(line, " {}", dice.one(PATTERNS)).expect("a string");
    }
    line
}

/// The text of a configuration, and of a file it may include.
fn configuration(dice: &mut Dice, profile: &str, include: &Path) -> (String, String) {
    let full = matches!(profile, "full" | "broken");
    let line = |dice: &mut Dice| {
        let table = if full && dice.chance(60) || profile == "everyday" && dice.chance(25) { FULL } else { PLAIN };
        let option = option(dice, table);
        if profile == "plain" { option } else { dress(dice, &option) }
    };
    let mut lines = Vec::new();
    let mut inner = Vec::new();
    for _ in 0..dice.roll(3) {
        lines.push(line(dice));
    }
    for _ in 0..1 + dice.roll(5) {
        lines.push(block(dice, full));
        for _ in 0..1 + dice.roll(5) {
            let text = line(dice);
            lines.push(text);
        }
    }
    if full && dice.chance(40) {
        for _ in 0..1 + dice.roll(4) {
            let text = if dice.chance(30) { block(dice, true) } else { line(dice) };
            inner.push(text);
        }
        let at = dice.roll(lines.len() + 1);
        let target = dice.one(&["", "", "*", "-none"]);
        lines.insert(at, format!("Include {}{target}", include.display()));
    }
    if profile == "broken" {
        let defect = DEFECTS[dice.roll(DEFECTS.len())].to_string();
        if !inner.is_empty() && dice.chance(30) {
            inner.insert(dice.roll(inner.len() + 1), defect);
        } else {
            let at = dice.roll(lines.len() + 1);
            lines.insert(at, defect);
        }
    }
    let end = if dice.chance(90) { "\n" } else { "" };
    (lines.join("\n") + end, inner.join("\n") + "\n")
}

/// Set-ups that have tripped one reader or another.
const TRICKY: &[&str] = &[
    "",
    "\n\n#\n   # x\n",
    "User a\nUser b\n",
    "Host *\n User a\nHost bb\n User b\n",
    " =User x\n",
    "\"User\" x\n",
    "\"User x\n",
    "User == x\n",
    "User x\r\n\r\nPort 1\r\n",
    "User x\x0c\n",
    "User x\0y\n",
    "User x",
    "Host bb # comment\nUser a\n",
    "Host \"bb\"\nUser a\n",
    "Host 'b'b\nUser a\n",
    "Host !x\nUser a\nHost !x *\nUser b\n",
    "Host * !bb\nUser a\n",
    "Host bb,x\nUser a\n",
    "Match host bb\nUser a\nMatch all\nUser b\n",
    "Match host \"bb\"\nUser a\n",
    "Match host=bb\nUser a\n",
    "Match host bb # x\nUser a\n",
    "Match !all\nUser a\n",
    "Match host * all\nUser a\n",
    "Match final\nUser a\nMatch all\nUser b\n",
    "HostName Bitbucket.org\nMatch final all\nHost bitbucket.org\nUser a\n",
    "Host bb\nHostName bitbucket.org\nHost bitbucket.org\nUser a\nMatch final\nPort 1\n",
    "Match final\nCanonicalizeMaxDots 7\nHostName z\n",
    "SendEnv A\nMatch final\nSendEnv B\n",
    "Host nothing\nMatch final\nHost nothing\n",
    "ProxyJump none\nProxyCommand x\n",
    "ProxyCommand x\nProxyJump y\n",
    "ProxyJump y\nProxyCommand x\n",
    "ProxyCommand none\nProxyJump y\n",
    "ProxyCommand none\nProxyCommand x\n",
    "ProxyCommand = x = y\n",
    "ProxyCommand \"x\"\n",
    "IdentityFile a\nIdentityFile a\nIdentityFile b\nIdentityFile2 c\n",
    "IdentityFile none\nIdentityFile a\n",
    "ConnectTimeout none\nConnectTimeout 5\n",
    "Host nope\nSyslogFacility AUTH\nStreamLocalBindMask 0111\nHost *\nStreamLocalBindMask 0222\n",
    "RekeyLimit 1G\nRekeyLimit 2G 1h\n",
    "ForwardAgent yes\nForwardAgent /\n",
    "ForwardAgent no\nForwardAgent /x\n",
    "IgnoreUnknown Foo\nFoo \"x\n",
    "IgnoreUnknown Foo\nFoo x\nBar y\n",
    "Foo x\nIgnoreUnknown Foo\n",
    "Host nope\nIgnoreUnknown Foo\nHost *\nFoo x\n",
    "IgnoreUnknown foo\nIgnoreUnknown bar\nbar x\n",
    "HostName %h%h\n",
    "HostName %%\n",
    "HostName FE80::1\n",
    "HostName 0x7f.1\n",
    "HostName 1.2.3.4\nAddressFamily inet6\n",
    "BatchMode yes\nServerAliveInterval 5\n",
    "BatchMode yes\n",
    "UserKnownHostsFile ~/.ssh/known_hosts\n",
    "VerifyHostKeyDNS yes\n",
    "UpdateHostKeys ask\nControlPersist yes\nControlPath /x\n",
    "SetEnv A=1 A=2\nSetEnv B=1\n",
    "SendEnv A -A B\n",
    "LogVerbose a b\nLogVerbose c\n",
    "UserKnownHostsFile ~ ~root ~root/x\n",
    "IdentityAgent \"\"\n",
    "IdentityAgent ~/Library/Group Containers/x\n",
    "ControlPath ~/x\nControlPath none\n",
    "Host a b c d e f g h bb\nUser x\n",
    "hOsT bb\nuSeR x\n",
    "Tag x\n",
    "User \\\"x\n",
    "User \"a\\\"b\"\n",
    "User a\\\\b\n",
    "User C:\\x\n",
    "IdentityFile 'a b'c\\ d\"e\"\n",
    "User a #b\nPort 1 #\n",
    "User #a\n",
    "Port 22 # a \"b\n",
    "DynamicForward 1080\nDynamicForward 1080\nLocalForward 1 a:1\nLocalForward 1 a:1\n",
    "RemoteForward 1 \"\"\n",
    "EscapeChar \\\\\nHostKeyAlias A\n",
    "CanonicalizePermittedCNAMEs none\nCanonicalDomains A. b\n",
    "Unsupported x\nCompressionLevel 9\nProtocol 2,1\nAFSTokenPassing yes\n",
    "GSSAPIAuthentication yes\nGSSAPIKeyExchange yes\nGSSAPITrustDns no\n",
    "RequiredRSASize 2048\nMatch user git\nUser y\n",
    "Match user git\nPort 1\nMatch user root\nPort 2\n",
    "Match localuser root\nPort 1\n",
    "Match exec \"exit 0\"\nPort 1\n",
    "Match !exec \"exit 0\"\nPort 1\n",
    "Match host nope exec \"x %z\"\nPort 1\n",
    "Match originalhost BB\nPort 1\nHostName x\nMatch host x\nUser u\n",
    "HostName x.example\nMatch host *.example\nUser u\nMatch originalhost *.example\nUser v\n",
    "ClearAllForwardings yes\nLocalForward 1 a:1\n",
    "NumberOfPasswordPrompts 1 \nNumberOfPasswordPrompts \"2\"\n",
    "Port +22\nConnectionAttempts +3\n",
    "ControlPath ${HOME}/%C\nIdentityFile ${NOPE}\nCertificateFile %z\n",
    "RemoteCommand x\n",
    "SessionType none\nForkAfterAuthentication yes\n",
];

struct Lab {
    ssh: SshTraits,
    account: Account,
    environment: Environment,
    folder: tempfile::TempDir,
}

struct Case {
    profile: &'static str,
    seed: u64,
    file: PathBuf,
    inner: PathBuf,
    host: &'static str,
    user: Option<&'static str>,
    command: Option<&'static str>,
    options: Vec<String>,
    exec: ExecPolicy,
}

impl Lab {
    fn question(&self, case: &Case) -> Question<'_> {
        Question {
            user: case.user.map(String::from),
            command: case.command.map(String::from),
            options: case.options.clone(),
            config_file: ConfigFile::File(case.file.clone()),
            exec: case.exec,
            ..Question::new(case.host, &self.account, &self.environment, &self.ssh)
        }
    }

    /// What ssh says: its values, or what it prints on standard error.
    fn ask(&self, question: &Question<'_>) -> Result<Effective, String> {
        let shell = if question.exec == ExecPolicy::AssumeFalse { Shell::False } else { Shell::True };
        let program = effective::program(Path::new("ssh"), question, shell).without_env("NOPE").env("SOCK", "/run/sock");
        let outcome = program.run(Instant::now() + Duration::from_secs(20)).expect("ssh starts");
        if outcome.success() { Ok(parse(&outcome.stdout)) } else { Err(outcome.stderr_text().replace("\r\n", "\n")) }
    }
}

/// What differs between the two readings; empty if nothing.
fn differences(own: &Evaluation, heard: &Result<Effective, String>) -> Vec<String> {
    let mut out = Vec::new();
    match (own.problems.is_empty(), heard) {
        (true, Ok(heard)) => {
            let keywords: HashSet<&str> = heard.keywords().chain(own.settings().map(|s| s.keyword.as_str())).collect();
            for keyword in keywords {
                let (ours, theirs) = (own.values(keyword), heard.values(keyword));
                // Lists that edit the default or hold wildcards are printed assembled.
                let assembled = ours.len() == 1 && theirs.len() == 1 && is_assembled(keyword, ours[0]);
                if ours != theirs && !assembled {
                    out.push(format!("{keyword}: ours {ours:?}, ssh {theirs:?}"));
                }
            }
        }
        (false, Err(stderr)) => {
            for problem in &own.problems {
                if !stderr.lines().any(|l| l.ends_with(&problem.message)) {
                    out.push(format!("ssh does not say {:?} but {stderr:?}", problem.message));
                }
            }
            let lines = |text: &str| -> Vec<String> {
                text.lines().filter(|l| l.contains(" line ") && !l.contains("Unsupported option") && !l.contains("'all' cannot")).map(String::from).collect()
            };
            let theirs = lines(stderr).into_iter().filter(|l| !l.ends_with("missing argument.")).count();
            let ours = own.problems.iter().filter(|p| p.message.contains(" line ") && !p.message.ends_with("missing argument.")).count();
            if theirs != ours {
                out.push(format!("ssh names {theirs} lines, we {ours}: {stderr:?} {:?}", own.problems));
            }
        }
        (true, Err(stderr)) => out.push(format!("ssh refuses: {stderr:?}")),
        (false, Ok(_)) => out.push(format!("ssh accepts what we refuse: {:?}", own.problems)),
    }
    out
}

/// Another value for a setting, to be told from any other.
fn marked(keyword: &str) -> Option<(&'static str, &'static str)> {
    Some(match keyword {
        "user" => ("User marked", "marked"),
        "hostname" => ("HostName marked.example", "marked.example"),
        "port" => ("Port 4321", "4321"),
        "identityfile" => ("IdentityFile /marked", "/marked"),
        "certificatefile" => ("CertificateFile /marked", "/marked"),
        "connecttimeout" => ("ConnectTimeout 4321", "4321"),
        "serveraliveinterval" => ("ServerAliveInterval 4321", "4321"),
        "serveralivecountmax" => ("ServerAliveCountMax 4321", "4321"),
        "identityagent" => ("IdentityAgent /marked", "/marked"),
        "userknownhostsfile" => ("UserKnownHostsFile /marked", "/marked"),
        "globalknownhostsfile" => ("GlobalKnownHostsFile /marked", "/marked"),
        "proxycommand" => ("ProxyCommand marked", "marked"),
        "proxyjump" => ("ProxyJump marked", "marked"),
        "controlpath" => ("ControlPath /marked", "/marked"),
        "hostkeyalias" => ("HostKeyAlias marked", "marked"),
        "preferredauthentications" => ("PreferredAuthentications marked", "marked"),
        "streamlocalbindmask" => ("StreamLocalBindMask 0123", "0123"),
        "syslogfacility" => ("SyslogFacility LOCAL7", "LOCAL7"),
        "localforward" => ("LocalForward 4321 m:1", "4321 [m]:1"),
        "setenv" => ("SetEnv MARKED=1", "MARKED=1"),
        "connectionattempts" => ("ConnectionAttempts 4321", "4321"),
        _ => return None,
    })
}

fn rewritten(file: &Path, position: &Position, line: &str) -> (String, String) {
    let before = std::fs::read_to_string(file).expect("a configuration");
    let mut lines: Vec<&str> = before.split('\n').collect();
    lines[position.line - 1] = line;
    (before.clone(), lines.join("\n"))
}

#[test]
fn we_read_what_ssh_reads() {
    let deadline = Instant::now() + Duration::from_secs(30);
    let environment = Environment::from_iter(
        Environment::capture().iter().filter(|(k, _)| *k != "NOPE").map(|(k, v)| (k.to_owned(), v.to_owned())).chain([("SOCK".into(), "/run/sock".into())]),
    );
    let lab = Lab {
        ssh: SshTraits::examine(Path::new("ssh"), deadline).expect("an OpenSSH client is installed"),
        account: Account::read(&environment),
        environment,
        folder: tempfile::tempdir().expect("a folder"),
    };
    let count: u64 = std::env::var("BBDOCTOR_CONFIGURATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_400);
    let seed: u64 = std::env::var("BBDOCTOR_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut cases = Vec::new();
    for n in 0..count + TRICKY.len() as u64 {
        let mut dice = Dice((seed << 32 | (n + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let profile = match n {
            n if n >= count => "tricky",
            n => ["plain", "everyday", "full", "full", "broken"][(n % 5) as usize],
        };
        let file = lab.folder.path().join(format!("c{n}"));
        let inner = lab.folder.path().join(format!("i{n}."));
        let (text, included) = match profile {
            "tricky" => (TRICKY[(n - count) as usize].to_string(), String::new()),
            _ => configuration(&mut dice, profile, &inner),
        };
        std::fs::write(&file, text).expect("a configuration");
        std::fs::write(&inner, included).expect("a configuration");
        let asked = if profile == "tricky" { 3 } else { 1 };
        for round in 0..asked {
            let user = dice.chance(60).then_some("git");
            let options = if dice.chance(15) { vec![option(&mut dice, PLAIN).replacen(' ', dice.one(&["=", " "]), 1)] } else { Vec::new() };
            cases.push(Case {
                profile,
                seed: n,
                file: file.clone(),
                inner: inner.clone(),
                host: if profile == "tricky" { ["bb", "bitbucket.org", "x"][round] } else { HOSTS[dice.roll(HOSTS.len())] },
                user,
                command: dice.chance(40).then_some("git-upload-pack 'a/b.git'"),
                options,
                exec: if dice.chance(70) { ExecPolicy::AssumeFalse } else { ExecPolicy::AssumeTrue },
            });
        }
    }
    let (failures, tally) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<&str, (usize, usize)>::new()));
    let (next, moved, claims) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let question = lab.question(case);
            let own = evaluate(&question);
            let heard = lab.ask(&question);
            let mut wrong = differences(&own, &heard);
            {
                let mut tally = tally.lock().expect("no panic");
                let (asked, refused) = tally.entry(case.profile).or_default();
                *asked += 1;
                *refused += usize::from(heard.is_err());
            }
            if let (Ok(heard), true) = (&heard, wrong.is_empty()) {
                let unexplained = reconcile(&own, heard, &question).into_iter().filter(|s| s.own_reading.is_some());
                wrong.extend(unexplained.map(|s| format!("reconciled without a source: {s:?}")));
            }
            if !wrong.is_empty() {
                failures.lock().expect("no panic").push(format!(
                    "--- {} {}: ssh {:?} {:?} exec {:?}\n{}\n--- included\n{}--- differs\n{}",
                    case.profile,
                    case.seed,
                    arguments(&question),
                    case.host,
                    case.exec,
                    String::from_utf8_lossy(&std::fs::read(&case.file).expect("a configuration")),
                    String::from_utf8_lossy(&std::fs::read(&case.inner).expect("a configuration")),
                    wrong.join("\n"),
                ));
                continue;
            }
            if case.profile == "tricky" || heard.is_err() || case.seed % 3 != 0 {
                continue;
            }
            for setting in own.settings() {
                let Some((line, expected)) = marked(&setting.keyword) else { continue };
                let Some(value) = setting.values.first() else { continue };
                let Source::File(position) = &value.source else { continue };
                // A host name decides which blocks apply, a user and a jump too; only values that decide nothing else move alone.
                let (before, after) = rewritten(&position.file, position, line);
                std::fs::write(&position.file, after).expect("a configuration");
                let again = lab.ask(&question);
                std::fs::write(&position.file, before).expect("a configuration");
                claims.fetch_add(1, Ordering::Relaxed);
                match again {
                    Ok(again) if again.values(&setting.keyword).contains(&expected) => {
                        moved.fetch_add(1, Ordering::Relaxed);
                    }
                    other => failures.lock().expect("no panic").push(format!(
                        "--- {} {}: {} is said to come from {position:?}, but ssh does not follow: {:?}\n{}",
                        case.profile,
                        case.seed,
                        setting.keyword,
                        other.map(|o| o.values(&setting.keyword).iter().map(|v| v.to_string()).collect::<Vec<_>>()),
                        String::from_utf8_lossy(&std::fs::read(&case.file).expect("a configuration")),
                    )),
                }
            }
        }
    };
    std::thread::scope(|scope| {
        (0..3).for_each(|_| {
            scope.spawn(work);
        });
    });
    let failures = failures.into_inner().expect("no panic");
    let tally = tally.into_inner().expect("no panic");
    let summary: Vec<String> = tally.iter().map(|(profile, (asked, refused))| format!("{profile} {asked} ({refused} refused by ssh)")).collect();
    let summary = format!(
        "{} questions: {}; {} of {} sources held when the line was rewritten",
        cases.len(),
        summary.join(", "),
        moved.load(Ordering::Relaxed),
        claims.load(Ordering::Relaxed)
    );
    assert!(failures.is_empty(), "{} differ of {summary}\n{}", failures.len(), failures[..failures.len().min(12)].join("\n\n"));
    assert!(claims.load(Ordering::Relaxed) >= 300 || count < 2_000, "{summary}");
    // The counts are the point of the run: nextest and cargo test show them with --no-capture.
    std::io::Write::write_all(&mut std::io::stderr(), format!("{summary}\n").as_bytes()).expect("standard error");
}
