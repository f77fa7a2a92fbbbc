//! The question that git's ssh answers with its configuration.

use std::path::{Path, PathBuf};

use super::account::Account;
use super::environment::Environment;
use super::git_config::GitConfig;
use super::git_url::SshUrl;
use super::ssh_config::{ConfigFile, Question, SshTraits};
use crate::facts::ssh_command::{ClientKind, CommandSource, SshCommand, SshOptions, Started, Variant, VariantSource};

/// Where git runs ssh: git goes to the top of its working tree first.
pub fn ssh_folder<'a>(git_config: &'a GitConfig, folder: &'a Path) -> &'a Path {
    let top = git_config.repository().and_then(|r| r.work_tree.as_deref());
    top.filter(|top| folder.starts_with(top)).unwrap_or(folder)
}

/// Who asks ssh's configuration: the account, git's command, and the ssh in it.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The account.
    pub account: &'a Account,
    /// The command with which git starts ssh.
    pub command: &'a SshCommand,
    /// The ssh that answers.
    pub traits: &'a SshTraits,
    /// Where git runs ssh.
    pub folder: &'a Path,
    /// The folder of the system-wide ssh files.
    pub system_folder: &'a Path,
    /// The program that git runs on the server.
    pub service_program: &'static str,
}

impl<'a> Asker<'a> {
    /// The question, were `url` what git contacts.
    pub fn question(&self, url: &SshUrl) -> Question<'a> {
        let mut question = Question::new(url.host.clone(), self.account, &self.command.environment, self.traits);
        question.user = url.user.clone();
        question.port = url.port;
        question.system_file = self.system_folder.join("ssh_config");
        question.command = Some(format!("{} '{}'", self.service_program, url.path));
        let given = &self.command.options;
        let named =
            [("User", &given.login), ("Port", &given.port), ("ProxyJump", &given.jump), ("ControlPath", &given.control_path)];
        question.options =
            named.into_iter().filter_map(|(keyword, value)| value.as_ref().map(|v| format!("{keyword}={v}"))).collect();
        question.options.extend(given.address_family.map(|f| format!("AddressFamily={}", if f == '4' { "inet" } else { "inet6" })));
        question.options.extend(given.options.iter().cloned());
        // What begins with these, ssh expands.
        let relative = |file: &&String| !file.starts_with(['/', '~', '%', '$']);
        let placed = |file: &String| match Some(file).filter(relative) {
            Some(file) => self.folder.join(file).to_string_lossy().into_owned(),
            None => file.clone(),
        };
        question.identity_files = given.identity_files.iter().map(placed).collect();
        question.config_file = match given.config_file.as_deref() {
            None => ConfigFile::Default,
            Some("none") => ConfigFile::None,
            Some(file) => ConfigFile::File(self.folder.join(file)),
        };
        question
    }

    /// The file of ssh's `-F`, if git's command gives one.
    pub fn given_config_file(&self) -> Option<PathBuf> {
        self.command.options.config_file.as_ref().filter(|f| *f != "none").map(|f| self.folder.join(f))
    }
}

impl SshCommand {
    /// What git runs where nothing is set, not looked for.
    pub fn unread(environment: &Environment) -> Self {
        SshCommand {
            source: CommandSource::Default,
            text: "ssh".into(),
            shell: false,
            words: None,
            assignments: Vec::new(),
            environment: environment.clone(),
            leading: 0,
            started_by_another: false,
            client: None,
            options: SshOptions::default(),
            variant: Variant::Ssh,
            variant_source: VariantSource::Name,
            kind: ClientKind::OpenSsh,
            started: Started::NotTried,
        }
    }

    /// The ssh client itself, when it can be run.
    pub fn client_path(&self) -> Option<&Path> {
        self.client.as_ref()?.path.as_deref().ok()
    }

    /// Whether the client reads ssh_config.
    pub fn reads_ssh_config(&self) -> bool {
        !matches!(self.kind, ClientKind::Plink | ClientKind::TortoisePlink | ClientKind::Dropbear)
    }

    /// Whether it is OpenSSH's client, by what it says of itself.
    pub fn is_openssh(&self) -> bool {
        matches!(self.started, crate::facts::ssh_command::Started::Runs { openssh: Some(_), .. })
    }
}
