//! What differs from system to system. No other file asks which system it is on.

use std::os::unix::net::UnixStream;
use std::path::Path;

use super::files;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::machine::{CiService, PackageManager, System};

/// Which system this is.
pub fn os() -> System {
    match std::env::consts::OS {
        "linux" => System::Linux,
        "macos" => System::Macos,
        "windows" => System::Windows,
        _ => System::Other,
    }
}

/// The system's own name and version, for a report.
pub fn system() -> String {
    let release = files::read(Path::new("/etc/os-release")).unwrap_or_default();
    let text = String::from_utf8_lossy(&release);
    let name = text.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).map(|v| v.trim_matches('"').to_string());
    name.unwrap_or_else(|| std::env::consts::OS.to_string())
}

/// Whether ssh could ask a person at a terminal: it opens `/dev/tty` for that, whatever standard input is.
pub fn terminal() -> bool {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok()
}

/// Whether ssh could ask through a window (`SSH_ASKPASS`, ssh(1)).
pub fn askpass(environment: &Environment) -> bool {
    let program = environment.text("SSH_ASKPASS").is_some_and(|p| files::access(Path::new(&p)).is_ok_and(|a| a.mode & 0o111 != 0));
    let display = environment.text("DISPLAY").is_some() || environment.text("WAYLAND_DISPLAY").is_some();
    match environment.text("SSH_ASKPASS_REQUIRE").as_deref() {
        Some("never") => false,
        Some("force") => program,
        _ => program && display,
    }
}

/// The CI service this runs under, if any, by the variables that each documents as always set. Most set `CI` too, so it comes
/// last, for those that are not in the list.
pub fn ci(environment: &Environment) -> Option<CiService> {
    const SERVICES: &[(&str, CiService)] = &[
        ("BITBUCKET_BUILD_NUMBER", CiService::BitbucketPipelines),
        ("GITHUB_ACTIONS", CiService::GithubActions),
        ("GITLAB_CI", CiService::GitlabCi),
        // The address is set only where an administrator has entered it.
        ("JENKINS_URL", CiService::Jenkins),
        ("JENKINS_HOME", CiService::Jenkins),
        ("CIRCLECI", CiService::Circleci),
        ("TF_BUILD", CiService::AzurePipelines),
        ("TEAMCITY_VERSION", CiService::Teamcity),
        ("bamboo_buildNumber", CiService::Bamboo),
        ("CODEBUILD_BUILD_ID", CiService::AwsCodebuild),
        ("CI", CiService::Ci),
    ];
    SERVICES.iter().find(|(variable, _)| environment.text(variable).is_some_and(|v| v != "false")).map(|(_, name)| *name)
}

/// The package manager of this system, if it is one that is known.
pub fn package_manager() -> Option<PackageManager> {
    const PLACES: &[(&str, PackageManager)] = &[
        ("/usr/bin/apt-get", PackageManager::Apt),
        ("/sbin/apk", PackageManager::Apk),
        ("/usr/bin/dnf", PackageManager::Dnf),
        ("/usr/bin/microdnf", PackageManager::Microdnf),
        ("/usr/bin/yum", PackageManager::Yum),
        ("/usr/bin/zypper", PackageManager::Zypper),
        ("/usr/bin/pacman", PackageManager::Pacman),
    ];
    PLACES.iter().find(|(path, _)| Path::new(path).exists()).map(|(_, manager)| *manager)
}

/// The folder of system-wide ssh files.
pub fn system_ssh_folder() -> &'static Path {
    Path::new("/etc/ssh")
}

/// The most bytes of a Unix socket's name (`sun_path`), the final NUL included.
pub const SOCKET_NAME_LIMIT: usize = if cfg!(target_os = "linux") { 108 } else { 104 };

/// The shell that runs a ProxyCommand where `$SHELL` is not set (`_PATH_BSHELL`).
pub const DEFAULT_SHELL: &str = "/bin/sh";

/// The program that listens at the other end of a socket, where the system tells.
pub fn listener(socket: &UnixStream) -> Option<String> {
    let process = peer_process(socket)?;
    let name = files::read(Path::new(&format!("/proc/{process}/comm"))).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end().to_string())
}

#[cfg(target_os = "linux")]
fn peer_process(socket: &UnixStream) -> Option<i32> {
    nix::sys::socket::getsockopt(socket, nix::sys::socket::sockopt::PeerCredentials).ok().map(|peer| peer.pid())
}

#[cfg(not(target_os = "linux"))]
fn peer_process(_: &UnixStream) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_services_are_known_by_what_they_set() {
        let named = |variables: &[(&str, &str)]| ci(&variables.iter().copied().collect());
        assert_eq!(
            named(&[("CI", "true"), ("BITBUCKET_BUILD_NUMBER", "7"), ("BITBUCKET_COMMIT", "0a1")]),
            Some(CiService::BitbucketPipelines)
        );
        assert_eq!(named(&[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "9")]), Some(CiService::GithubActions));
        assert_eq!(named(&[("CI", "true"), ("GITLAB_CI", "true"), ("CI_JOB_ID", "3")]), Some(CiService::GitlabCi));
        assert_eq!(named(&[("JENKINS_HOME", "/var/jenkins_home"), ("BUILD_NUMBER", "4")]), Some(CiService::Jenkins));
        assert_eq!(named(&[("CI", "true"), ("JENKINS_URL", "https://ci.example/")]), Some(CiService::Jenkins));
        assert_eq!(named(&[("CI", "true"), ("CIRCLECI", "true")]), Some(CiService::Circleci));
        assert_eq!(named(&[("TF_BUILD", "True"), ("BUILD_BUILDID", "5")]), Some(CiService::AzurePipelines));
        assert_eq!(named(&[("TEAMCITY_VERSION", "2025.03"), ("BUILD_NUMBER", "6")]), Some(CiService::Teamcity));
        assert_eq!(named(&[("bamboo_buildNumber", "8")]), Some(CiService::Bamboo));
        assert_eq!(named(&[("CODEBUILD_BUILD_ID", "app:1")]), Some(CiService::AwsCodebuild));
        assert_eq!(named(&[("CI", "1")]), Some(CiService::Ci));
        assert_eq!(named(&[("CI", "false"), ("GITHUB_ACTIONS", ""), ("BUILD_NUMBER", "4")]), None);
    }
}
