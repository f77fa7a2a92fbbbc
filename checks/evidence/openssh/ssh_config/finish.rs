//! What ssh makes of the values once the files are read: the host's name, the final pass, checks and defaults
//! (`main` of `ssh.c`, `fill_default_options` and `dump_client_config` of `readconf.c`).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use nix::errno::Errno;

use super::evaluate::{ConfigReader, Stop, Stored};
use super::tokens::{self, Expand, TokenContext};
use super::{defaults, values};
use crate::machine::files;
use bbdoctor_checks::facts::ssh_config::{
    Destination, Doubt, ExpandError, IdentityFile, ProblemKind, Setting, SettingSource, Value,
};

const ALL: Expand = Expand { tilde: true, percent: true, dollar: true };

impl ConfigReader<'_> {
    /// Goes on from the first reading to the result.
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        let canonicalizes = matches!(self.first_text("canonicalizehostname"), Some("true" | "always"));
        let cnames = self.first_text("canonicalizepermittedcnames").is_some_and(|c| c != "none");
        self.out.canonicalizes = canonicalizes || cnames;
        if self.out.canonicalizes {
            self.doubt(Doubt::Canonicalization);
        }
        self.host = self.resolved_host()?;
        if self.want_final_pass || canonicalizes {
            self.out.final_pass = true;
            // ssh fills these in between the passes, so a `Match final` cannot set them.
            for (slot, value) in
                [("canonicalizemaxdots", "1"), ("canonicalizefallbacklocal", "yes"), ("canonicalizehostname", "false")]
            {
                self.fill(slot, value, SettingSource::Default);
            }
            let host = self.host.clone();
            if self.is_set("hostname") {
                self.replace_text("hostname", &host);
            } else {
                self.fill("hostname", &host, SettingSource::Default);
            }
            self.read_all(true)?;
        }
        self.settle()
    }

    /// Expands HostName, which knows `%h` and `%%` alone.
    pub(super) fn expand_host_name(&mut self, name: &str, host: &str) -> Result<String, Stop> {
        let known = |key| match key {
            '%' => Ok(Some("%".to_string())),
            'h' => Ok(Some(host.to_string())),
            other => Err(ExpandError::UnknownToken(other)),
        };
        tokens::substitute(name, known, None).map_err(|why| self.expansion_failed("hostname", why))
    }

    /// The name to connect to: HostName or the name typed, in lower case unless it is an address, which becomes canonical.
    fn resolved_host(&mut self) -> Result<String, Stop> {
        let name = match self.first_text("hostname").map(String::from) {
            Some(name) => self.expand_host_name(&name, &self.q.host.clone())?,
            None => self.q.host.clone(),
        };
        let family = self.first_text("addressfamily").unwrap_or("any");
        Ok(match values::address(&name, family) {
            Some(address) if address.eq_ignore_ascii_case(&name) => name,
            Some(address) => address,
            None => name.to_ascii_lowercase(),
        })
    }

    /// Stops because of a value.
    fn stop_at(&mut self, kind: ProblemKind, message: String, at: Option<Stored>) -> Stop {
        let stop = self.stop(kind, message);
        if let (Some(problem), Some(at)) = (self.out.problems.last_mut(), at) {
            problem.position = at.source.position().cloned();
            problem.text = at.text;
        }
        stop
    }

    fn expansion_failed(&mut self, slot: &str, why: ExpandError) -> Stop {
        let at = self.stored(slot).first().cloned();
        self.stop_at(ProblemKind::ExpansionFailed(why.clone()), why.to_string(), at)
    }

    fn refuse(&mut self, slot: &str, message: String) -> Stop {
        let at = self.stored(slot).first().cloned();
        self.stop_at(ProblemKind::Refused, message, at)
    }

    fn on(&self, slot: &str) -> bool {
        self.first_text(slot) == Some("yes")
    }

    /// Checks the outcome as ssh does before it prints or connects, and turns it into settings.
    fn settle(&mut self) -> Result<(), Stop> {
        if self.q.ssh.batchmode_sets_alive && self.on("batchmode") {
            self.fill("serveraliveinterval", "300", SettingSource::Default);
        }
        let user = self.user_so_far();
        let port = self.first_text("port").unwrap_or("22").to_string();
        let jump = self.first_text("proxyjump").unwrap_or_default().to_string();
        if let Some(last) = jump.rsplit(',').next().filter(|j| !j.is_empty()) {
            let (jump_user, rest) = last.rsplit_once('@').unwrap_or((&user, last));
            let (jump_host, jump_port) = match rest.rsplit_once("]:") {
                Some((host, port)) => (host, port),
                None if rest.ends_with(']') => (rest.trim_end_matches(']'), "22"),
                None => rest.rsplit_once(':').unwrap_or((rest, "22")),
            };
            let jump_host = jump_host.trim_start_matches('[');
            if jump_host == self.host && jump_port == port && jump_user == user {
                return Err(self.refuse("proxyjump", format!("jumphost loop via {jump_host}")));
            }
        }
        let remote_command = self.first_text("remotecommand").is_some_and(|c| !c.eq_ignore_ascii_case("none"));
        if self.first_text("connectionattempts") == Some("0") {
            return Err(self.refuse("connectionattempts", "Invalid number of ConnectionAttempts".into()));
        }
        if remote_command && self.q.command.is_some() {
            return Err(self.refuse("remotecommand", "Cannot execute command-line and remote command.".into()));
        }
        let commanded = remote_command || self.q.command.is_some() || self.first_text("sessiontype") == Some("none");
        if self.on("forkafterauthentication") && !commanded {
            let message = "Cannot fork into background without a command to execute.";
            return Err(self.refuse("forkafterauthentication", message.into()));
        }
        let alias = self.first_text("hostkeyalias").map(str::to_ascii_lowercase).unwrap_or_else(|| self.q.host.clone());
        self.out.destination = Destination { host: self.host.clone(), port, user, host_key_alias: alias, jump };
        if self.q.ssh.version >= 1000
            && let Some(written) = self.first_text("user").map(String::from)
            && written.contains(['%', '$'])
        {
            let how = Expand { tilde: false, percent: true, dollar: true };
            let context = TokenContext::new(&self.out, self.q);
            self.out.destination.user = match tokens::expand(&written, &context, how) {
                Ok(user) => user,
                Err(why) => return Err(self.expansion_failed("user", why)),
            };
        }
        self.settings()
    }

    /// Expands every value of a list.
    fn expand_all(&mut self, list: &mut [Stored], context: &TokenContext<'_>, how: Expand) -> Result<(), Stop> {
        for value in list {
            match tokens::expand(&value.text, context, how) {
                Ok(text) => value.text = text,
                Err(why) => {
                    let message = why.to_string();
                    return Err(self.stop_at(ProblemKind::ExpansionFailed(why), message, Some(value.clone())));
                }
            }
        }
        Ok(())
    }

    fn settings(&mut self) -> Result<(), Stop> {
        let context = TokenContext::new(&self.out, self.q);
        let mut slots = self.take_slots();
        let one = |slots: &HashMap<&str, Vec<Stored>>, slot: &str| -> String {
            slots.get(slot).and_then(|v| v.first()).map(|v| v.text.clone()).unwrap_or_default()
        };
        self.identity_files(slots.get("identityfile").map(Vec::as_slice).unwrap_or_default());
        self.update_host_keys(&mut slots);

        let jump = !one(&slots, "proxyjump").is_empty();
        let fork_path = slots.remove("forwardagent-path");
        let rekey_time = slots.remove("rekeylimit-time").map_or("0".to_string(), |t| t[0].text.clone());
        let exit_on_failure = one(&slots, "exitonforwardfailure") == "yes";
        if one(&slots, "clearallforwardings") == "yes" {
            for slot in ["localforward", "remoteforward", "dynamicforward"] {
                slots.remove(slot);
            }
            if let Some(tunnel) = slots.get_mut("tunnel") {
                tunnel[0].text = "false".into();
            }
        }
        let mut settled: Vec<(&'static str, Vec<Stored>)> = Vec::new();
        for (slot, mut list) in slots.into_iter().filter(|(_, list)| !list.is_empty()) {
            let none = list[0].text.eq_ignore_ascii_case("none");
            match slot {
                "hostname" => list[0].text.clone_from(&self.host),
                "user" => list[0].text.clone_from(&self.out.destination.user),
                "hostkeyalias" => list[0].text.make_ascii_lowercase(),
                // ssh prints nothing for what has been switched off, nor what a jump host replaces.
                "proxyjump" if list[0].text.is_empty() => list.clear(),
                "proxycommand" if jump || none => list.clear(),
                "controlpath"
                | "pkcs11provider"
                | "securitykeyprovider"
                | "localcommand"
                | "remotecommand"
                | "knownhostscommand"
                | "revokedhostkeys"
                | "versionaddendum"
                    if none =>
                {
                    list.clear();
                }
                "userknownhostsfile" => self.expand_all(&mut list, &context, ALL)?,
                "identityagent" if list[0].text.starts_with('$') && !list[0].text.starts_with("${") => {}
                "identityagent" | "controlpath" => self.expand_all(&mut list, &context, ALL)?,
                "revokedhostkeys" if self.q.ssh.version >= 904 => self.expand_all(&mut list, &context, ALL)?,
                "remotecommand" => {
                    let how = Expand { tilde: false, percent: true, dollar: false };
                    self.expand_all(&mut list, &context, how)?;
                }
                "compression" if self.q.ssh.compression_unknown && list[0].text == "yes" => list[0].text = "UNKNOWN".into(),
                "forwardagent" => {
                    if let Some(mut path) = fork_path.clone() {
                        // Even a path that `ForwardAgent no` has beaten is looked for, and `$VAR` is a file name here.
                        self.expand_all(&mut path, &context, ALL)?;
                        if exit_on_failure && let Err(error) = files::access(Path::new(&path[0].text)) {
                            let why = Errno::from_raw(error.raw_os_error().unwrap_or_default()).desc();
                            let message = format!("Cannot forward agent socket path \"{}\": {why}", path[0].text);
                            return Err(self.stop_at(ProblemKind::Refused, message, path.into_iter().next()));
                        }
                        list = path;
                    }
                }
                "rekeylimit" => list[0].text = format!("{} {rekey_time}", list[0].text),
                _ => {}
            }
            if matches!(
                slot,
                "userknownhostsfile"
                    | "globalknownhostsfile"
                    | "logverbose"
                    | "canonicaldomains"
                    | "canonicalizepermittedcnames"
                    | "permitremoteopen"
            ) {
                if slot.ends_with("knownhostsfile") {
                    self.out.known_hosts_files.insert(slot.to_string(), list.iter().map(|v| v.text.clone()).collect());
                }
                list[0].text = list.iter().map(|v| v.text.as_str()).collect::<Vec<_>>().join(" ");
                list.truncate(1);
            }
            settled.push((slot, list));
        }
        self.publish(settled);
        Ok(())
    }

    /// ssh's default for UpdateHostKeys hangs on other settings, and `ask` is dropped where nobody can be asked.
    fn update_host_keys(&mut self, slots: &mut HashMap<&'static str, Vec<Stored>>) {
        let text = |slot: &str| slots.get(slot).and_then(|v| v.first()).map(|v| v.text.as_str());
        let value = match text("updatehostkeys") {
            None => {
                let dns = matches!(text("verifyhostkeydns"), Some("true" | "ask"));
                let files = slots.get("userknownhostsfile").map(Vec::as_slice).unwrap_or_default();
                let usual = files.is_empty() || (files.len() == 1 && files[0].text == "~/.ssh/known_hosts");
                (dns || !usual).then_some("false")
            }
            Some("ask") => {
                let persists =
                    !matches!(text("controlpersist"), None | Some("no")) && !matches!(text("controlpath"), None | Some("none"));
                let remote = !matches!(text("remotecommand"), None | Some("none"));
                let quiet = matches!(text("loglevel"), Some("SILENT" | "FATAL" | "ERROR"));
                (persists || remote || quiet || self.q.command.is_some() || text("requesttty") == Some("false")).then_some("false")
            }
            Some(_) => None,
        };
        let Some(value) = value else { return };
        let value = Stored { text: value.into(), source: SettingSource::Default, user_conf: true };
        match slots.get_mut("updatehostkeys") {
            Some(list) => list[0].text = value.text,
            None => {
                slots.insert("updatehostkeys", vec![value]);
            }
        }
    }

    fn identity_files(&mut self, set: &[Stored]) {
        self.out.identity_files = set
            .iter()
            .map(|v| IdentityFile { path: v.text.clone(), source: v.source.clone(), user_provided: v.user_conf })
            .collect();
        if set.is_empty() {
            let named = defaults::default_values("identityfile", self.q.ssh);
            self.out.identity_files =
                named.into_iter().map(|path| IdentityFile { path, source: SettingSource::Default, user_provided: false }).collect();
        }
    }

    /// Joins values, losers and defaults into settings.
    fn publish(&mut self, settled: Vec<(&'static str, Vec<Stored>)>) {
        let mut settings = BTreeMap::new();
        let mut losers = self.take_losers();
        let mut add = |keyword: &str, values: Vec<Value>| {
            let (keyword, losers) = (keyword.to_string(), losers.remove(keyword).unwrap_or_default());
            settings.entry(keyword.clone()).or_insert(Setting { keyword, values, losers });
        };
        for (slot, list) in settled {
            add(slot, list.into_iter().map(|v| Value { text: v.text, source: v.source }).collect());
        }
        let value = |text: &str, source| vec![Value { text: text.to_string(), source }];
        if self.q.ssh.version >= 902 {
            add("host", value(&self.q.host, SettingSource::CommandLine));
        }
        add("hostname", value(&self.host, SettingSource::Default));
        add("user", value(&self.out.destination.user, SettingSource::Default));
        let context = TokenContext::new(&self.out, self.q);
        for keyword in defaults::keywords(self.q.ssh) {
            let mut texts = defaults::default_values(&keyword, self.q.ssh);
            if keyword == "userknownhostsfile" {
                for text in &mut texts {
                    let files = text.split(' ').map(|f| tokens::expand(f, &context, ALL).unwrap_or_else(|_| f.to_string()));
                    *text = files.collect::<Vec<_>>().join(" ");
                }
            }
            add(&keyword, texts.into_iter().map(|text| Value { text, source: SettingSource::Default }).collect());
        }
        for (keyword, losers) in losers {
            let keyword = keyword.to_string();
            settings.insert(keyword.clone(), Setting { keyword, values: Vec::new(), losers });
        }
        self.out.settings = settings;
    }
}
