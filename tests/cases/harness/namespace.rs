//! The private machine of a case: its own /etc, /home, /tmp, /run and network, seen by nobody else and gone with the case.
//!
//! The process is uid 1000 with all capabilities over its own namespaces, and only that one uid exists here: `dev` and `git` are two
//! names of it (dev first, so that it is the name of the uid), because sshd without root can only log in its own account.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::mount::{MsFlags, mount};

/// The service's part of the private machine (the home of `git`).
pub(crate) const SERVICE: &str = "/home/git";
/// The user's home.
pub(crate) const HOME: &str = "/home/dev";
/// bbdoctor, copied out of the target folder, which the private /home or /tmp may hide.
pub(crate) const BBDOCTOR: &str = "/home/bin/bbdoctor";
/// Names the bbdoctor that is examined, where it is not the one built with the cases: an older one, for its reports.
const PROGRAM: &str = "BBDOCTOR_CASES_PROGRAM";
/// A folder with a file and a Git repository that belong to another account, when the cases run as root; empty otherwise.
pub(crate) const FOREIGN: &str = "/home/foreign";
/// No case may take longer, whatever hangs.
const LIMIT: Duration = Duration::from_secs(170);

/// Outside: makes what every case shares and no case changes, once: the service's host keys and repositories, and things of another owner.
pub(crate) fn prepare(scratch: &Path) {
    once(&scratch.join("service"), |folder| {
        for name in ["rules", "repositories/acme", "host_keys"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        for (kind, bits) in [("ed25519", "256"), ("ecdsa", "256"), ("rsa", "2048"), ("impostor", "256")] {
            let algorithm = if kind == "impostor" { "ed25519" } else { kind };
            let file = folder.join("host_keys").join(kind);
            run(Command::new("ssh-keygen").args(["-q", "-N", "", "-C", kind, "-t", algorithm, "-b", bits, "-f"]).arg(file));
        }
        let seed = folder.join("seed");
        run(git().args(["init", "-q", "-b", "main"]).arg(&seed));
        run(git().arg("-C").arg(&seed).args(["commit", "-q", "--allow-empty", "-m", "first"]));
        for name in ["app", "other"] {
            run(git().args(["clone", "-q", "--bare"]).arg(&seed).arg(folder.join(format!("repositories/acme/{name}.git"))));
        }
        run(git().args(["init", "-q", "--bare"]).arg(folder.join("repositories/acme/empty.git")));
    });
    once(&scratch.join("foreign"), |folder| {
        if nix::unistd::geteuid().is_root() {
            run(git().args(["init", "-q"]).arg(folder.join("repository")));
            fs::write(folder.join("config"), "Host *\n  User git\n").unwrap();
            run(Command::new("chown").args(["-R", "daemon:"]).arg(folder));
        }
    });
    fs::create_dir_all(scratch.join("world")).unwrap();
}

/// Makes `folder` by `fill`, complete or not at all, whichever of several cases comes first.
fn once(folder: &Path, fill: impl FnOnce(&Path)) {
    if folder.exists() {
        return;
    }
    let unfinished = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
    chmod(unfinished.path(), 0o755);
    fill(unfinished.path());
    if fs::rename(unfinished.path(), folder).is_ok() {
        let _ = unfinished.keep();
    }
}

/// git as the service's administrator runs it: no configuration of the person who runs the tests.
fn git() -> Command {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    git.args(["-c", "user.name=acme", "-c", "user.email=acme@example.com", "-c", "init.templateDir="]);
    git
}

/// Runs a program of the set-up; the case stops if it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {}\n{errors}", done.status);
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Inside: turns the fresh namespaces into the private machine.
pub(crate) fn enter() {
    std::thread::spawn(|| {
        std::thread::sleep(LIMIT);
        eprintln!("the case did not end within {LIMIT:?}");
        std::process::exit(101);
    });
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    // Everything is copied to one tmpfs first; then it covers the folders it is to stand for.
    let world = scratch.join("world");
    tmpfs(&world);
    for name in ["dev/.ssh", "bin", "foreign", "etc"] {
        fs::create_dir_all(world.join(name)).unwrap();
    }
    chmod(&world.join("dev/.ssh"), 0o700);
    run(Command::new("cp").arg("-a").arg(scratch.join("service")).arg(world.join("git")));
    let program = std::env::var_os(PROGRAM).unwrap_or_else(|| env!("CARGO_BIN_EXE_bbdoctor").into());
    fs::copy(program, world.join("bin/bbdoctor")).unwrap();
    bind(&scratch.join("foreign"), &world.join("foreign"));
    etc(&world.join("etc"));
    recursively_bind(&world, Path::new("/home"));
    bind(Path::new("/home/etc"), Path::new("/etc"));
    for folder in ["/tmp", "/run"] {
        tmpfs(Path::new(folder));
    }
    fs::create_dir_all("/run/sshd").unwrap();
    run(Command::new("ip").args(["link", "set", "lo", "up"]));
    fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0").unwrap();
}

/// A small /etc: the accounts, how names resolve, ssh's folder as Debian ships it, and what the dynamic loader needs.
fn etc(folder: &Path) {
    let file = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    file("passwd", &passwd());
    file("group", "root:x:0:\ndev:x:1000:\n");
    file("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
    file("resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n");
    file("services", "ssh 22/tcp\nhttps 443/tcp\n");
    file("host.conf", "multi on\n");
    file("hosts", "127.0.0.1 localhost\n");
    file("os-release", "ID=cases\nPRETTY_NAME=\"a disposable machine\"\n");
    fs::create_dir_all(folder.join("ssh/ssh_config.d")).unwrap();
    file(
        "ssh/ssh_config",
        "Include /etc/ssh/ssh_config.d/*.conf\nHost *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n",
    );
    if Path::new("/etc/ld.so.cache").exists() {
        fs::copy("/etc/ld.so.cache", folder.join("ld.so.cache")).unwrap();
    }
    if Path::new("/etc/alternatives").exists() {
        run(Command::new("cp").arg("-a").arg("/etc/alternatives").arg(folder));
    }
}

/// The accounts of the private machine.
pub(crate) fn passwd() -> String {
    format!(
        "root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000::{HOME}:/bin/sh\ngit:x:1000:1000::{SERVICE}:/bin/sh\nsshd:x:74:74::/run/sshd:/bin/false\n"
    )
}

/// Sets the permission bits of a file.
pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes `target` show `source`.
pub(crate) fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .unwrap_or_else(|error| panic!("bind {} to {}: {error}", source.display(), target.display()));
}

/// As [`bind`], with what is mounted below `source`.
fn recursively_bind(source: &Path, target: &Path) {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>).unwrap();
}

fn tmpfs(folder: &Path) {
    mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
        .unwrap_or_else(|error| panic!("tmpfs over {}: {error}", folder.display()));
}
