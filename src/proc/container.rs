//! The container that a process is in, by its cgroup: names that people know from the tools which
//! made it.

/// How much of a long hexadecimal id tools show.
const SHORT: usize = 12;

/// What the last or a middle part of a cgroup's path looks like, and whose doing it is: what stands
/// before the name, what stands behind it, and the tool.
const SCOPES: &[(&str, &str, &str)] = &[
    ("docker-", ".scope", "docker"),
    ("libpod-", ".scope", "podman"),
    ("cri-containerd-", ".scope", "containerd"),
    ("crio-", ".scope", "crio"),
    ("lxc.payload.", "", "lxc"),
    ("machine-", ".scope", "machine"),
    ("systemd-nspawn@", ".service", "machine"),
];

/// Directories whose children are containers.
const PARENTS: &[&str] = &["docker", "lxc", "podman"];

/// `docker:4f3a…` and the like, from the text of `/proc/PID/cgroup`.
pub(super) fn name(cgroups: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(cgroups);
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.filter_map(of_path).next().map(String::into_bytes)
}

fn of_path(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.iter().enumerate().rev().find_map(|(at, part)| {
        let scope = SCOPES.iter().find_map(|(before, behind, tool)| {
            let name = part.strip_prefix(before)?.strip_suffix(behind)?;
            Some(format!("{tool}:{}", short(&unescape(name))))
        });
        let parent = || {
            let parent = PARENTS.iter().find(|parent| at > 0 && parts[at - 1] == **parent)?;
            Some(format!("{parent}:{}", short(part)))
        };
        let pod = || {
            let in_pods = parts[..at].iter().any(|p| p.starts_with("kubepods"));
            (in_pods && is_id(part)).then(|| format!("kubernetes:{}", short(part)))
        };
        scope.or_else(parent).or_else(pod)
    })
}

/// Whether it is an id as containers have, 64 hexadecimal digits.
fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

fn short(name: &str) -> &str {
    if is_id(name) { &name[..SHORT] } else { name }
}

/// systemd writes characters that are special to it as `\xHH`.
fn unescape(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once("\\x") {
        out.push_str(before);
        match behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii() => {
                out.push(byte.into());
                rest = &behind[2..];
            }
            _ => {
                out.push_str("\\x");
                rest = behind;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn what_tools_call_their_containers() {
        let id = "4f3ac0de".repeat(8);
        let of = |path: &str| name(format!("0::{path}\n").as_bytes()).map(|n| String::from_utf8(n).unwrap());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&format!("/system.slice/docker-{id}.scope")), some("docker:4f3ac0de4f3a"));
        assert_eq!(of(&format!("/docker/{id}")), some("docker:4f3ac0de4f3a"));
        assert_eq!(of(&format!("/docker/{id}/init.scope")), some("docker:4f3ac0de4f3a"));
        assert_eq!(of(&format!("/machine.slice/libpod-{id}.scope/container")), some("podman:4f3ac0de4f3a"));
        let pod = format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope");
        assert_eq!(of(&pod), some("containerd:4f3ac0de4f3a"));
        assert_eq!(of(&format!("/kubepods/besteffort/pod1/{id}")), some("kubernetes:4f3ac0de4f3a"));
        assert_eq!(of("/lxc.payload.web/init.scope"), some("lxc:web"));
        assert_eq!(of("/machine.slice/machine-my\\x2dbox.scope"), some("machine:my-box"));
        assert_eq!(of("/machine.slice/systemd-nspawn@web.service/payload"), some("machine:web"));
        for none in ["/", "/user.slice/user-0.slice/session-1.scope", "/system.slice/docker.service", ""] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn odd_names_do_no_harm() {
        for text in [&b""[..], b"0", b"0::", b"\xff\xff", b"0::/machine-\\x.scope\n", b"1:cpu:/docker\n"] {
            let _ = name(text);
        }
        assert_eq!(name(b"12:pids:/\n0::/lxc/\xffx\n").unwrap(), "lxc:\u{fffd}x".as_bytes());
    }
}
