//! Set-ups that cases of several checks share.

use std::fs;
use std::path::Path;

use super::namespace::HOME;
use super::world::{ALTERNATE, CLOUD, DATA_CENTER, World};

/// The RSA key that Bitbucket retired in June 2023, as it stands in old files.
pub(crate) const RETIRED: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEAubiN81eDcafrgMeLzaFPsw2kNvEcqTKl/VqLat/MaB33pZy0y3rJZtnqwR2qOOvbwKZYKiEO1O6VqNEBxKvJJelCq0dTXWT5pbO2gDXC6h6QDXCaHo6pOHGPUy+YBaGQRGuSusMEASYiWunYN0vCAI8QaXnWMXNMdFP3jHAJH0eDsoiGnLPBlBp4TNm6rYI74nMzgz3B9IikW4WVK+dc8KZJZWYjAuORU3jc1c/NPskD2ASinf8v3xnfXeukU0sJ5N6m5E8VLjObPEO+mN2t/FZTMZLiFqPWc/ALSqnMnnhwrNi2rbfg/rd/IpL8Le3pSBne8+seeFVBoGqzHM9yXw==";

impl World {
    /// The plain set-up with this ~/.ssh/config.
    pub(crate) fn plain_with(&mut self, config: impl AsRef<[u8]>) {
        self.plain();
        self.config(config);
    }

    /// The plain set-up, and the URL that git is given.
    pub(crate) fn plain_at(&mut self, url: &str) {
        self.plain();
        self.url(url);
    }

    /// The plain set-up, and the command by which git starts ssh.
    pub(crate) fn ssh_command(&mut self, command: &str) {
        self.plain();
        self.set("GIT_SSH_COMMAND", command);
    }

    // Keys.

    /// The registered key has a name that ssh does not try by itself; `config` is ~/.ssh/config.
    pub(crate) fn key_named(&mut self, name: &str, config: &str) {
        self.key(name);
        self.know("{host}");
        self.config(config);
    }

    /// Two accounts with a key each; `personal` may not read the repository.
    pub(crate) fn two_accounts(&mut self) {
        for name in ["personal", "work"] {
            self.keygen(name, "ed25519", "", "");
            self.authorize(name, name);
        }
        self.know("{host}");
        self.rule("deny-read.personal", "repository access denied.");
    }

    /// An unregistered key with a certificate of an authority the service trusts; `options` are ssh-keygen's for the certificate.
    pub(crate) fn certificate(&mut self, options: &[&str]) {
        self.stranger("id_ed25519");
        self.know("{host}");
        self.user(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/authority"]);
        let mut words = vec!["ssh-keygen", "-q", "-s", "/tmp/authority", "-I", "dev"];
        words.extend(options);
        words.push(".ssh/id_ed25519.pub");
        self.user(&words);
        self.sshd("TrustedUserCAKeys /tmp/authority.pub");
        self.sshd("ForceCommand /home/git/service dev");
    }

    /// The agent's only key is bound to a host of this name.
    pub(crate) fn bound_key(&mut self, host: &str) {
        self.key_named("bitbucket", "");
        self.know_some("elsewhere.example.com", &["impostor"], ".ssh/known_hosts");
        self.agent(&[]);
        self.user(&["ssh-add", "-q", "-h", &self.text(host), ".ssh/bitbucket"]);
        self.forget("bitbucket");
    }

    /// In a folder of a working tree; `core.sshCommand` names the key by a relative path.
    pub(crate) fn relative_key(&mut self, path: &str) {
        self.key("bitbucket");
        self.know("{host}");
        self.repository(true);
        self.user(&["mkdir", "keys", "sub"]);
        self.user(&["mv", "../.ssh/bitbucket", "../.ssh/bitbucket.pub", "keys"]);
        self.git_config("core.sshCommand", &format!("ssh -i {path}"));
        self.cwd = Path::new(HOME).join("work/sub");
    }

    // Trust.

    /// Appends a line to ~/.ssh/known_hosts.
    pub(crate) fn note(&self, line: &str) {
        let old = fs::read_to_string(self.ssh("known_hosts")).unwrap_or_default();
        self.write(".ssh/known_hosts", format!("{old}{line}\n"), 0o644);
    }

    // Servers and what lies on the way to them.

    /// Both names of Git over SSH in one world: the user dials `dialled` and knows the keys of `known`; the old name leads to `old`,
    /// the new one to the service.
    pub(crate) fn both_names(&mut self, old: &str, dialled: &str, known: &str) {
        self.rename("bitbucket.org", old);
        self.rename("ssh.bitbucket.org", CLOUD);
        self.key("id_ed25519");
        self.know(known);
        self.host = if dialled == "bitbucket.org" { "bitbucket.org" } else { "ssh.bitbucket.org" };
        self.url("git@{host}:acme/app.git");
    }

    /// A Data Center on git.example.com, port 7999, which lets in the user's default key. Its URL is still to be given.
    pub(crate) fn data_center(&mut self) {
        self.key("id_ed25519");
        self.listen = vec![(DATA_CENTER, 7999)];
        self.name("git.example.com", DATA_CENTER);
        self.know("[git.example.com]:7999");
    }

    /// The words of a Data Center about a repository that it does not have.
    pub(crate) fn refusal_of_a_data_center(&self) {
        let words = "Repository not found\nThe requested repository does not exist, or you do not have permission to access it.";
        self.rule("no-repository", words);
    }

    /// bbdoctor's configuration says what git.example.com is, and nothing else.
    pub(crate) fn describe_data_center(&self) {
        let table = "[hosts.\"git.example.com\"]\nkind = \"data-center\"\nport = 7999\n";
        self.write(".config/bbdoctor/config.toml", table, 0o644);
    }

    /// A Data Center that is described in bbdoctor's configuration.
    pub(crate) fn described_data_center(&mut self, url: &str) {
        self.data_center();
        self.refusal_of_a_data_center();
        self.describe_data_center();
        self.url(url);
    }

    /// A ProxyCommand that carries its standard input and output to the service; `before` it does something else.
    pub(crate) fn carrier(&self, before: &str) {
        let carry = "exec 3<>/dev/tcp/$1/$2 || exit 1\ncat <&3 &\nexec cat >&3\n";
        self.script("carrier", &format!("#!/bin/bash\n{before}\n{carry}"));
        self.config(format!("Host {{host}}\n  ProxyCommand {HOME}/carrier {CLOUD} %p\n"));
    }

    /// A jump host that lets in a key of its own, with `options` of authorized_keys(5); it is called `bastion`.
    pub(crate) fn bastion(&mut self, options: &str) {
        self.stranger("jump");
        self.name("bastion.example.com", ALTERNATE);
        self.know("[bastion.example.com]:443");
        let public = fs::read_to_string(self.ssh("jump.pub")).unwrap();
        self.authorized.push(format!("{options} {}", public.trim()));
        self.config(
            "Host bastion\n  HostName bastion.example.com\n  Port 443\n  User git\n  IdentityFile ~/.ssh/jump\n  IdentitiesOnly yes\n\
             Host inner\n  HostName inner.example.com\n  User git\n  ProxyJump bastion\nHost {host}\n  ProxyJump bastion\n",
        );
    }

    // Repositories.

    /// A repository whose `origin` has this URL; bbdoctor is given no target.
    pub(crate) fn origin(&mut self, url: &str) {
        self.url(url);
        self.repository(true);
    }
}
