//! Where bbdoctor ran: the system, whether a person can be asked, and where things are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;

/// The machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Which system it is.
    pub os: System,
    /// The system's own name and version.
    pub system: String,
    /// ssh could ask a person at a terminal.
    pub terminal: bool,
    /// ssh could ask through a window or a program (`SSH_ASKPASS`, ssh(1)).
    pub askpass: bool,
    /// The CI service this runs under.
    pub ci: Option<CiService>,
    /// The package manager, where it is known.
    pub package_manager: Option<PackageManager>,
    /// The folder in which bbdoctor was started, and in which git would be.
    #[serde(with = "bytes")]
    pub folder: PathBuf,
    /// The folder of the system-wide ssh files.
    #[serde(with = "bytes")]
    pub system_ssh_folder: PathBuf,
    /// The version of libssh2 that speaks with the server.
    pub libssh2: String,
}

impl Machine {
    /// Whether ssh could ask a person.
    pub fn can_ask(&self) -> bool {
        self.terminal || self.askpass
    }
}

/// The systems that bbdoctor knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
    /// Another.
    #[default]
    Other,
}

impl System {
    /// The short name in reports.
    pub fn name(self) -> &'static str {
        match self {
            System::Linux => "linux",
            System::Macos => "macos",
            System::Windows => "windows",
            System::Other => "other",
        }
    }
}

/// The CI services that bbdoctor recognises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CiService {
    /// Bitbucket Pipelines.
    BitbucketPipelines,
    /// GitHub Actions.
    GithubActions,
    /// GitLab CI.
    GitlabCi,
    /// Jenkins.
    Jenkins,
    /// CircleCI.
    Circleci,
    /// Azure Pipelines.
    AzurePipelines,
    /// TeamCity.
    Teamcity,
    /// Bamboo.
    Bamboo,
    /// AWS CodeBuild.
    AwsCodebuild,
    /// Another one, which sets `CI`.
    Ci,
}

impl CiService {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            CiService::BitbucketPipelines => "bitbucket-pipelines",
            CiService::GithubActions => "github-actions",
            CiService::GitlabCi => "gitlab-ci",
            CiService::Jenkins => "jenkins",
            CiService::Circleci => "circleci",
            CiService::AzurePipelines => "azure-pipelines",
            CiService::Teamcity => "teamcity",
            CiService::Bamboo => "bamboo",
            CiService::AwsCodebuild => "aws-codebuild",
            CiService::Ci => "ci",
        }
    }
}

/// The package managers that bbdoctor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageManager {
    /// Debian's and Ubuntu's.
    Apt,
    /// Alpine's.
    Apk,
    /// Fedora's and Red Hat's.
    Dnf,
    /// Red Hat's, in small images.
    Microdnf,
    /// Red Hat's, before dnf.
    Yum,
    /// openSUSE's.
    Zypper,
    /// Arch's.
    Pacman,
}

impl PackageManager {
    /// The command that installs an ssh client, as arguments; for the superuser.
    pub fn install_ssh_client(self) -> &'static [&'static str] {
        match self {
            PackageManager::Apt => &["sh", "-c", "apt-get update && apt-get install -y openssh-client"],
            PackageManager::Apk => &["apk", "add", "openssh-client"],
            PackageManager::Dnf => &["dnf", "install", "-y", "openssh-clients"],
            PackageManager::Microdnf => &["microdnf", "install", "-y", "openssh-clients"],
            PackageManager::Yum => &["yum", "install", "-y", "openssh-clients"],
            PackageManager::Zypper => &["zypper", "install", "-y", "openssh-clients"],
            PackageManager::Pacman => &["pacman", "-S", "--noconfirm", "openssh"],
        }
    }
}
