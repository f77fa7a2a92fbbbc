//! The keywords of `ssh_config(5)`: how each one's arguments are read, under which name its value is kept, since which
//! release it exists and whose build knows it. Over 400 lines: one table, so that names and rules cannot drift apart.
//!
//! Source: `keywords[]` and `process_config_line_depth` of OpenSSH's `readconf.c`, releases 8.7 to 10.5, and the patches of
//! Debian and Apple.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SshTraits;

/// How a keyword's arguments are read and merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Host`.
    Host,
    /// `Match`.
    Match,
    /// `Include`.
    Include,
    /// One word; the first value wins.
    Text,
    /// The rest of the line, quotes and comments included.
    Command,
    /// One of the spellings of a table, in any case; printed as the second item of the pair.
    Choice(Spellings),
    /// A whole number.
    Int,
    /// A time, as `60` or `1m30s`.
    Time,
    /// A port, or the name of a service.
    Port,
    /// `IdentityFile`.
    IdentityFile,
    /// `CertificateFile`.
    CertificateFile,
    /// All words of the first line that sets it.
    Words,
    /// `SendEnv`.
    SendEnv,
    /// `SetEnv`.
    SetEnv,
    /// `ProxyJump`.
    ProxyJump,
    /// `LocalForward`.
    LocalForward,
    /// `RemoteForward`.
    RemoteForward,
    /// `DynamicForward`.
    DynamicForward,
    /// Names of algorithms, separated by commas.
    Algorithms(AlgorithmList),
    /// A level of the log.
    LogLevel,
    /// A facility of syslog.
    Facility,
    /// An octal mask.
    Mask,
    /// The path of a socket, or a variable that holds it.
    AgentPath,
    /// `ForwardAgent`.
    ForwardAgent,
    /// `AddKeysToAgent`.
    AddKeysToAgent,
    /// `ControlPersist`.
    ControlPersist,
    /// `RekeyLimit`.
    RekeyLimit,
    /// `EscapeChar`.
    Escape,
    /// `IPQoS`.
    IpQos,
    /// `TunnelDevice`.
    TunnelDevice,
    /// `CanonicalDomains`.
    CanonicalDomains,
    /// `CanonicalizePermittedCNAMEs`.
    PermittedCnames,
    /// `PermitRemoteOpen`.
    PermitRemoteOpen,
    /// `RevokedHostKeys`.
    RevokedHostKeys,
    /// All words of the line, whose values are not examined.
    AnyWords,
    /// Accepted without a word.
    Ignored,
    /// Accepted with a debug message.
    Deprecated,
    /// Accepted with a message on standard error.
    Unsupported,
}

/// Accepted spellings, each with the one `ssh -G` prints.
pub type Spellings = &'static [(&'static str, &'static str)];

/// The list an algorithm name is looked up in, as `ssh -Q` knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlgorithmList {
    /// `ssh -Q key-sig`.
    KeySignature,
    /// `ssh -Q kex`.
    Kex,
    /// `ssh -Q cipher`.
    Cipher,
    /// `ssh -Q mac`.
    Mac,
}

/// Whose build knows a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Upstream,
    Debian,
    GssapiPatch,
    Apple,
}

use Kind::*;
use Vendor::*;

const FLAG: Spellings = &[("yes", "yes"), ("true", "yes"), ("no", "no"), ("false", "no")];
const ASK: Spellings = &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("ask", "ask")];
const MASTER: Spellings = &[
    ("true", "true"),
    ("yes", "true"),
    ("false", "false"),
    ("no", "false"),
    ("auto", "auto"),
    ("ask", "ask"),
    ("autoask", "autoask"),
];
const STRICT: Spellings = &[
    ("true", "true"),
    ("false", "false"),
    ("yes", "true"),
    ("no", "false"),
    ("ask", "ask"),
    ("off", "false"),
    ("accept-new", "accept-new"),
];
const FAMILY: Spellings = &[("inet", "inet"), ("inet6", "inet6"), ("any", "any")];
const TTY: Spellings =
    &[("true", "true"), ("yes", "true"), ("false", "false"), ("no", "false"), ("force", "force"), ("auto", "auto")];
const SESSION: Spellings = &[("none", "none"), ("subsystem", "subsystem"), ("default", "default")];
const CANONICALIZE: Spellings = &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("always", "always")];
const PUBKEY: Spellings =
    &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("unbound", "unbound"), ("host-bound", "host-bound")];
const COMPRESSION: Spellings = &[("yes", "yes"), ("no", "no")];
const TUNNEL: Spellings = &[
    ("ethernet", "ethernet"),
    ("point-to-point", "point-to-point"),
    ("true", "point-to-point"),
    ("yes", "point-to-point"),
    ("false", "false"),
    ("no", "false"),
];
/// The hashes of `FingerprintHash`.
pub const HASH: Spellings = &[("md5", "MD5"), ("sha1", "SHA1"), ("sha256", "SHA256"), ("sha384", "SHA384"), ("sha512", "SHA512")];

/// The keyword as the manual writes it, the name its value is kept under, how it is read, the first release that knows it
/// (major * 100 + minor; 0 before any that matters) and whose build.
type Row = (&'static str, &'static str, Kind, u32, Vendor);

#[rustfmt::skip]
const KEYWORDS: &[Row] = &[
    ("Host", "host", Host, 0, Upstream),
    ("Match", "match", Match, 605, Upstream),
    ("Include", "include", Include, 703, Upstream),
    ("HostName", "hostname", Text, 0, Upstream),
    ("User", "user", Text, 0, Upstream),
    ("Port", "port", Port, 0, Upstream),
    ("IdentityFile", "identityfile", IdentityFile, 0, Upstream),
    ("IdentityFile2", "identityfile", IdentityFile, 0, Upstream),
    ("CertificateFile", "certificatefile", CertificateFile, 702, Upstream),
    ("IdentitiesOnly", "identitiesonly", Choice(FLAG), 0, Upstream),
    ("IdentityAgent", "identityagent", AgentPath, 703, Upstream),
    ("AddKeysToAgent", "addkeystoagent", AddKeysToAgent, 702, Upstream),
    ("ForwardAgent", "forwardagent", ForwardAgent, 0, Upstream),
    ("ProxyCommand", "proxycommand", Command, 0, Upstream),
    ("ProxyJump", "proxyjump", ProxyJump, 703, Upstream),
    ("LocalCommand", "localcommand", Command, 0, Upstream),
    ("RemoteCommand", "remotecommand", Command, 706, Upstream),
    ("KnownHostsCommand", "knownhostscommand", Command, 805, Upstream),
    ("UserKnownHostsFile", "userknownhostsfile", Words, 0, Upstream),
    ("GlobalKnownHostsFile", "globalknownhostsfile", Words, 0, Upstream),
    ("LogVerbose", "logverbose", Words, 805, Upstream),
    ("SendEnv", "sendenv", SendEnv, 0, Upstream),
    ("SetEnv", "setenv", SetEnv, 708, Upstream),
    ("LocalForward", "localforward", LocalForward, 0, Upstream),
    ("RemoteForward", "remoteforward", RemoteForward, 0, Upstream),
    ("DynamicForward", "dynamicforward", DynamicForward, 0, Upstream),
    ("HostKeyAlgorithms", "hostkeyalgorithms", Algorithms(AlgorithmList::KeySignature), 0, Upstream),
    ("HostbasedAcceptedAlgorithms", "hostbasedacceptedalgorithms", Algorithms(AlgorithmList::KeySignature), 807, Upstream),
    ("HostbasedKeyTypes", "hostbasedacceptedalgorithms", Algorithms(AlgorithmList::KeySignature), 608, Upstream),
    ("PubkeyAcceptedAlgorithms", "pubkeyacceptedalgorithms", Algorithms(AlgorithmList::KeySignature), 805, Upstream),
    ("PubkeyAcceptedKeyTypes", "pubkeyacceptedalgorithms", Algorithms(AlgorithmList::KeySignature), 700, Upstream),
    ("CASignatureAlgorithms", "casignaturealgorithms", Algorithms(AlgorithmList::KeySignature), 709, Upstream),
    ("KexAlgorithms", "kexalgorithms", Algorithms(AlgorithmList::Kex), 0, Upstream),
    ("Ciphers", "ciphers", Algorithms(AlgorithmList::Cipher), 0, Upstream),
    ("MACs", "macs", Algorithms(AlgorithmList::Mac), 0, Upstream),
    ("LogLevel", "loglevel", LogLevel, 0, Upstream),
    ("SyslogFacility", "syslogfacility", Facility, 706, Upstream),
    ("ControlPath", "controlpath", Text, 0, Upstream),
    ("ControlPersist", "controlpersist", ControlPersist, 0, Upstream),
    ("ControlMaster", "controlmaster", Choice(MASTER), 0, Upstream),
    ("StrictHostKeyChecking", "stricthostkeychecking", Choice(STRICT), 0, Upstream),
    ("AddressFamily", "addressfamily", Choice(FAMILY), 0, Upstream),
    ("RequestTTY", "requesttty", Choice(TTY), 0, Upstream),
    ("SessionType", "sessiontype", Choice(SESSION), 807, Upstream),
    ("CanonicalizeHostname", "canonicalizehostname", Choice(CANONICALIZE), 605, Upstream),
    ("PubkeyAuthentication", "pubkeyauthentication", Choice(PUBKEY), 0, Upstream),
    ("DSAAuthentication", "pubkeyauthentication", Choice(PUBKEY), 0, Upstream),
    ("Compression", "compression", Choice(COMPRESSION), 0, Upstream),
    ("Tunnel", "tunnel", Choice(TUNNEL), 0, Upstream),
    ("VerifyHostKeyDNS", "verifyhostkeydns", Choice(ASK), 0, Upstream),
    ("UpdateHostKeys", "updatehostkeys", Choice(ASK), 608, Upstream),
    ("ConnectTimeout", "connecttimeout", Time, 0, Upstream),
    ("ForwardX11Timeout", "forwardx11timeout", Time, 0, Upstream),
    ("ServerAliveInterval", "serveraliveinterval", Time, 0, Upstream),
    ("ServerAliveCountMax", "serveralivecountmax", Int, 0, Upstream),
    ("ConnectionAttempts", "connectionattempts", Int, 0, Upstream),
    ("NumberOfPasswordPrompts", "numberofpasswordprompts", Int, 0, Upstream),
    ("CanonicalizeMaxDots", "canonicalizemaxdots", Int, 605, Upstream),
    ("RequiredRSASize", "requiredrsasize", Int, 901, Upstream),
    ("HostKeyAlias", "hostkeyalias", Text, 0, Upstream),
    ("PreferredAuthentications", "preferredauthentications", Text, 0, Upstream),
    ("BindAddress", "bindaddress", Text, 0, Upstream),
    ("BindInterface", "bindinterface", Text, 707, Upstream),
    ("PKCS11Provider", "pkcs11provider", Text, 0, Upstream),
    ("SmartcardDevice", "pkcs11provider", Text, 0, Upstream),
    ("SecurityKeyProvider", "securitykeyprovider", Text, 802, Upstream),
    ("XAuthLocation", "xauthlocation", Text, 0, Upstream),
    ("KbdInteractiveDevices", "kbdinteractivedevices", Text, 0, Upstream),
    ("IgnoreUnknown", "ignoreunknown", Text, 603, Upstream),
    ("Tag", "tag", Text, 904, Upstream),
    ("FingerprintHash", "fingerprinthash", Choice(HASH), 608, Upstream),
    ("BatchMode", "batchmode", Choice(FLAG), 0, Upstream),
    ("CheckHostIP", "checkhostip", Choice(FLAG), 0, Upstream),
    ("ClearAllForwardings", "clearallforwardings", Choice(FLAG), 0, Upstream),
    ("EnableSSHKeysign", "enablesshkeysign", Choice(FLAG), 0, Upstream),
    ("EnableEscapeCommandline", "enableescapecommandline", Choice(FLAG), 902, Upstream),
    ("ExitOnForwardFailure", "exitonforwardfailure", Choice(FLAG), 0, Upstream),
    ("ForkAfterAuthentication", "forkafterauthentication", Choice(FLAG), 807, Upstream),
    ("ForwardX11", "forwardx11", Choice(FLAG), 0, Upstream),
    ("ForwardX11Trusted", "forwardx11trusted", Choice(FLAG), 0, Upstream),
    ("GatewayPorts", "gatewayports", Choice(FLAG), 0, Upstream),
    ("GSSAPIAuthentication", "gssapiauthentication", Choice(FLAG), 0, Upstream),
    ("GSSAPIDelegateCredentials", "gssapidelegatecredentials", Choice(FLAG), 0, Upstream),
    ("HashKnownHosts", "hashknownhosts", Choice(FLAG), 0, Upstream),
    ("HostbasedAuthentication", "hostbasedauthentication", Choice(FLAG), 0, Upstream),
    ("KbdInteractiveAuthentication", "kbdinteractiveauthentication", Choice(FLAG), 0, Upstream),
    ("ChallengeResponseAuthentication", "kbdinteractiveauthentication", Choice(FLAG), 0, Upstream),
    ("SKeyAuthentication", "kbdinteractiveauthentication", Choice(FLAG), 0, Upstream),
    ("TISAuthentication", "kbdinteractiveauthentication", Choice(FLAG), 0, Upstream),
    ("NoHostAuthenticationForLocalhost", "nohostauthenticationforlocalhost", Choice(FLAG), 0, Upstream),
    ("PasswordAuthentication", "passwordauthentication", Choice(FLAG), 0, Upstream),
    ("PermitLocalCommand", "permitlocalcommand", Choice(FLAG), 0, Upstream),
    ("ProxyUseFdpass", "proxyusefdpass", Choice(FLAG), 603, Upstream),
    ("StdinNull", "stdinnull", Choice(FLAG), 807, Upstream),
    ("StreamLocalBindUnlink", "streamlocalbindunlink", Choice(FLAG), 607, Upstream),
    ("TCPKeepAlive", "tcpkeepalive", Choice(FLAG), 0, Upstream),
    ("KeepAlive", "tcpkeepalive", Choice(FLAG), 0, Upstream),
    ("VisualHostKey", "visualhostkey", Choice(FLAG), 0, Upstream),
    ("CanonicalizeFallbackLocal", "canonicalizefallbacklocal", Choice(FLAG), 605, Upstream),
    ("StreamLocalBindMask", "streamlocalbindmask", Mask, 607, Upstream),
    ("RekeyLimit", "rekeylimit", RekeyLimit, 0, Upstream),
    ("EscapeChar", "escapechar", Escape, 0, Upstream),
    ("IPQoS", "ipqos", IpQos, 0, Upstream),
    ("TunnelDevice", "tunneldevice", TunnelDevice, 0, Upstream),
    ("CanonicalDomains", "canonicaldomains", CanonicalDomains, 605, Upstream),
    ("CanonicalizePermittedCNAMEs", "canonicalizepermittedcnames", PermittedCnames, 605, Upstream),
    ("PermitRemoteOpen", "permitremoteopen", PermitRemoteOpen, 805, Upstream),
    ("RevokedHostKeys", "revokedhostkeys", RevokedHostKeys, 608, Upstream),
    ("ObscureKeystrokeTiming", "obscurekeystroketiming", AnyWords, 905, Upstream),
    ("ChannelTimeout", "channeltimeout", AnyWords, 906, Upstream),
    ("VersionAddendum", "versionaddendum", Command, 1000, Upstream),
    ("RefuseConnection", "refuseconnection", AnyWords, 1001, Upstream),
    ("WarnWeakCrypto", "warnweakcrypto", AnyWords, 1001, Upstream),
    ("Protocol", "protocol", Ignored, 0, Upstream),
    ("Cipher", "cipher", Deprecated, 0, Upstream),
    ("FallBackToRsh", "fallbacktorsh", Deprecated, 0, Upstream),
    ("GlobalKnownHostsFile2", "globalknownhostsfile2", Deprecated, 0, Upstream),
    ("RhostsAuthentication", "rhostsauthentication", Deprecated, 0, Upstream),
    ("UserKnownHostsFile2", "userknownhostsfile2", Deprecated, 0, Upstream),
    ("UseRoaming", "useroaming", Deprecated, 0, Upstream),
    ("UseRsh", "usersh", Deprecated, 0, Upstream),
    ("UsePrivilegedPort", "useprivilegedport", Deprecated, 0, Upstream),
    ("AFSTokenPassing", "afstokenpassing", Unsupported, 0, Upstream),
    ("KerberosAuthentication", "kerberosauthentication", Unsupported, 0, Upstream),
    ("KerberosTgtPassing", "kerberostgtpassing", Unsupported, 0, Upstream),
    ("RSAAuthentication", "rsaauthentication", Unsupported, 0, Upstream),
    ("RhostsRSAAuthentication", "rhostsrsaauthentication", Unsupported, 0, Upstream),
    ("CompressionLevel", "compressionlevel", Unsupported, 0, Upstream),
    ("UseBlacklistedKeys", "useblacklistedkeys", Deprecated, 0, Debian),
    ("GSSAPIKeyExchange", "gssapikeyexchange", Choice(FLAG), 0, GssapiPatch),
    ("GSSAPITrustDns", "gssapitrustdns", Choice(FLAG), 0, GssapiPatch),
    ("GSSAPIRenewalForcesRekey", "gssapirenewalforcesrekey", Choice(FLAG), 0, GssapiPatch),
    ("GSSAPIClientIdentity", "gssapiclientidentity", Text, 0, GssapiPatch),
    ("GSSAPIServerIdentity", "gssapiserveridentity", Text, 0, GssapiPatch),
    ("GSSAPIKexAlgorithms", "gssapikexalgorithms", Text, 0, GssapiPatch),
    ("ProtocolKeepAlives", "serveraliveinterval", Time, 0, Debian),
    ("SetupTimeOut", "serveraliveinterval", Time, 0, Debian),
    ("UseKeychain", "usekeychain", Choice(FLAG), 0, Apple),
    ("AppleMultipath", "applemultipath", Choice(FLAG), 0, Apple),
    ("NoHostAuthenticationForProxyCommand", "nohostauthenticationforproxycommand", Choice(FLAG), 0, Apple),
];

/// Keywords of `sshd_config(5)` that `ssh_config(5)` does not have.
#[rustfmt::skip]
const SSHD_KEYWORDS: &[&str] = &[
    "AcceptEnv", "AllowAgentForwarding", "AllowGroups", "AllowStreamLocalForwarding", "AllowTcpForwarding", "AllowUsers",
    "AuthenticationMethods", "AuthorizedKeysCommand", "AuthorizedKeysCommandUser", "AuthorizedKeysFile",
    "AuthorizedPrincipalsCommand", "AuthorizedPrincipalsCommandUser", "AuthorizedPrincipalsFile", "Banner", "ChrootDirectory",
    "ClientAliveCountMax", "ClientAliveInterval", "DenyGroups", "DenyUsers", "DisableForwarding", "ExposeAuthInfo",
    "ForceCommand", "HostCertificate", "HostKey", "HostKeyAgent", "IgnoreRhosts", "IgnoreUserKnownHosts",
    "KerberosOrLocalPasswd", "KerberosTicketCleanup", "ListenAddress", "LoginGraceTime", "MaxAuthTries", "MaxSessions",
    "MaxStartups", "ModuliFile", "PermitEmptyPasswords", "PermitListen", "PermitOpen", "PermitRootLogin", "PermitTTY",
    "PermitTunnel", "PermitUserEnvironment", "PermitUserRC", "PerSourceMaxStartups", "PerSourceNetBlockSize",
    "PerSourcePenalties", "PidFile", "PrintLastLog", "PrintMotd", "PubkeyAuthOptions", "RDomain", "StrictModes", "Subsystem",
    "TrustedUserCAKeys", "UseDNS", "UsePAM", "UsePrivilegeSeparation", "X11DisplayOffset", "X11Forwarding", "X11UseLocalhost",
];

/// What is to be done with a keyword by one build of ssh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The name its value is kept under, which is the name `ssh -G` prints, in lower case.
    pub slot: &'static str,
    /// How its arguments are read.
    pub kind: Kind,
}

fn row(keyword: &str) -> Option<&'static Row> {
    KEYWORDS.iter().find(|e| e.0.eq_ignore_ascii_case(keyword))
}

fn known_to_build(row: &Row, ssh: &SshTraits) -> bool {
    let vendor = match row.4 {
        Upstream => true,
        Debian => ssh.debian,
        GssapiPatch => ssh.debian || ssh.gssapi_patch,
        Apple => ssh.apple,
    };
    vendor && row.3 <= ssh.version
}

/// How this ssh reads `keyword`; `None` is "Bad configuration option".
pub fn lookup(keyword: &str, ssh: &SshTraits) -> Option<Known> {
    let e = row(keyword).filter(|e| known_to_build(e, ssh))?;
    let compiled_out = e.1.starts_with("gssapi") && !ssh.gssapi;
    Some(Known { slot: e.1, kind: if compiled_out { Unsupported } else { e.2 } })
}

/// Who knows a keyword that this ssh does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KnownTo {
    /// OpenSSH from this release on (major * 100 + minor).
    Newer(u32),
    /// The ssh of macOS.
    Apple,
    /// The ssh of Debian and Ubuntu.
    Debian,
    /// Builds with the GSSAPI key exchange patch: Debian, Ubuntu, Fedora, RHEL.
    GssapiPatch,
    /// The server, in `sshd_config(5)`.
    SshdConfig,
}

/// Who, if anybody, knows `keyword` although this ssh does not.
pub fn known_to(keyword: &str, ssh: &SshTraits) -> Option<KnownTo> {
    match row(keyword) {
        Some(e) => match e.4 {
            _ if known_to_build(e, ssh) => None,
            Upstream => Some(KnownTo::Newer(e.3)),
            Debian => Some(KnownTo::Debian),
            GssapiPatch => Some(KnownTo::GssapiPatch),
            Apple => Some(KnownTo::Apple),
        },
        None => SSHD_KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(keyword)).then_some(KnownTo::SshdConfig),
    }
}

/// The keyword of this ssh that was probably meant: at most two edits away, and fewer than half of its letters.
pub fn did_you_mean(keyword: &str, ssh: &SshTraits) -> Option<Keyword> {
    if keyword.len() > 64 {
        return None;
    }
    let keyword = keyword.to_ascii_lowercase();
    KEYWORDS
        .iter()
        .filter(|e| known_to_build(e, ssh) && !matches!(e.2, Ignored | Deprecated | Unsupported))
        .map(|e| (strsim::osa_distance(&keyword, &e.0.to_ascii_lowercase()), e.0))
        .filter(|(edits, name)| *edits <= 2 && edits * 2 < name.len())
        .min()
        .map(|(_, name)| Keyword(name))
}

/// The keyword as the manual writes it, for a name in lower case as `ssh -G` prints it.
pub fn written(slot: &str) -> Option<&'static str> {
    row(slot).map(|e| e.0)
}

/// A keyword that some ssh knows. In JSON it is written as the manual writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword(&'static str);

impl Keyword {
    /// The keyword of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        row(name).map(|e| Keyword(e.0))
    }

    /// As the manual writes it.
    pub fn written(self) -> &'static str {
        self.0
    }

    /// The name its value is kept under, which is the name `ssh -G` prints, in lower case.
    pub fn slot(self) -> &'static str {
        row(self.0).map_or(self.0, |row| row.1)
    }
}

impl Serialize for Keyword {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Keyword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Keyword::named(&name).ok_or_else(|| D::Error::custom(format_args!("no keyword of ssh_config: {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::{Piece, Text};

    #[test]
    fn a_misspelt_keyword_is_recognised_and_a_foreign_one_is_placed() {
        let ssh = SshTraits::default();
        assert_eq!(did_you_mean("IdentityFiles", &ssh).map(Keyword::written), Some("IdentityFile"));
        assert_eq!(did_you_mean("hsotname", &ssh).map(Keyword::written), Some("HostName"));
        assert_eq!(did_you_mean("frobnicate", &ssh), None);
        assert_eq!(known_to("UseKeychain", &ssh), Some(KnownTo::Apple));
        assert_eq!(known_to("permitrootlogin", &ssh), Some(KnownTo::SshdConfig));
        assert_eq!(known_to("Tag", &SshTraits { version: 902, ..SshTraits::default() }), Some(KnownTo::Newer(904)));
        assert_eq!(known_to("gssapikeyexchange", &SshTraits { debian: true, ..SshTraits::default() }), None);
    }

    #[test]
    fn every_keyword_is_legible_in_a_shared_report() {
        for keyword in KEYWORDS.iter().map(|row| row.0).chain(SSHD_KEYWORDS.iter().copied()) {
            let text = Text::keyword(keyword);
            assert!(matches!(text.pieces(), [Piece::Public(_)]), "{keyword}");
        }
    }

    #[test]
    fn every_keyword_is_listed_once() {
        let mut names: Vec<_> = KEYWORDS.iter().map(|e| e.0.to_ascii_lowercase()).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
