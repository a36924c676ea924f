# SPDX-License-Identifier: MIT
"""Debian's packages: built from a clean copy, looked at by lintian, and installed,
used, removed and purged in a root file system of their own, never on the host.

That root is made by debootstrap below /var/tmp, from the mirrors that the host's
apt has, and entered in namespaces of its own, so that every process there ends
with the command that began it. It takes minutes, so scripts/check has a phase
for it. Where it cannot be made the test says why and is skipped.
"""
import glob
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from harness import SANITIZED, main

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PATIENCE = 240.0
PACKAGES = ["libwyn-dev", "libwyn0", "libwynclient-dev", "libwynclient0",
            "wynctl", "wynd"]
# What a program needs beside our packages to be built in the root.
COMPILER = ["gcc", "libc6-dev", "make", "pkg-config"]
os.environ["PATH"] += ":/usr/sbin:/sbin"
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
    "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
    **{name: value for name, value in os.environ.items()
       if name.lower().endswith("_proxy")}}
APT = "apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "

# enter ROOT COMMAND...: in mount and pid namespaces that unshare has made.
ENTER = r"""
set -eu
root=$1
shift
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=0755 dev "$root/dev"
for node in null zero full random urandom tty; do
	: >"$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
exec chroot "$root" "$@"
"""

# As the service manager would start it, and what a user does then.
USE = r"""
systemd-tmpfiles --create wynd.conf
mkfifo /tmp/ready
setpriv --reuid=wynd --regid=wynd --init-groups --no-new-privs \
	--inh-caps=-all --bounding-set=-all @exec@ --ready-fd 3 \
	3>/tmp/ready 2>/tmp/log &
wynd=$!
ready=
while read -r line; do
	ready=$line
done </tmp/ready
[ "$ready" = ready ] || { cat /tmp/log; exit 1; }

echo "== call"
wynctl call sha256 hello
echo "== stranger"
stranger() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}
code=0
stranger wynctl call sha256 hello 2>&1 || code=$?
echo "$code"
echo "== member"
setpriv --reuid=nobody --regid=nogroup --groups=wynd wynctl call sha256 hello
echo "== examples"
cd /tmp
build() {
	gcc -Wall -Wextra -Werror -o "$1" \
		"/usr/share/doc/$2-dev/examples/$1.c" $(pkg-config --cflags $2) $3
}
build merge_sort libwyn "$(pkg-config --libs libwyn)"
./merge_sort 4097
build merge_sort libwyn "-l:libwyn.a $(pkg-config --static --libs libwyn)"
./merge_sort 4097
build client_poll libwynclient "$(pkg-config --libs libwynclient)"
printf 'hello\n' | ./client_poll unix:/run/wynd/wynd.sock sha256
build client_poll libwynclient "-l:libwynclient.a $(
	pkg-config --static --libs libwynclient)"
printf 'hello\n' | ./client_poll unix:/run/wynd/wynd.sock sha256
echo "== module"
cp -r /usr/share/doc/libwyn-dev/examples/module .
make -s -C module CC=gcc
wynd --check-module "$PWD/module/hello.so"
echo "== drain"
wynctl drain
wait $wynd || { cat /tmp/log; exit 1; }
"""
SHA256_HELLO = \
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

# What dpkg, apt and the loader keep for themselves, and the backups of the lists
# of users, which are about whoever was added last.
BOOKKEEPING = re.compile(
    r"var/(lib/(dpkg|apt)|log|cache)(/|$)"
    r"|etc/(passwd|group|shadow|gshadow)-$|etc/\.pwd\.lock$")


def run(*command, **more):
    """Runs it, which must end with 0; returns what it printed."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False, **more)
    if done.returncode != 0:
        raise AssertionError("%s ended with %d:\n%s" % (
            " ".join(command), done.returncode, done.stdout[-20000:]))
    return done.stdout


def succeeds(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False,
                          capture_output=True).returncode == 0


def codename():
    with open("/etc/os-release") as file:
        found = re.search(r"^VERSION_CODENAME=(\w+)$", file.read(), re.M)
    return found and found.group(1)


def mirrors():
    """(URI, suite) of each part of this release that the host's apt has, the
    release itself first."""
    listed = run("apt-get", "indextargets", "--format",
                 "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)|$(CODENAME)",
                 "Created-By: Packages")
    found = re.findall(r"^Debian\|main\|(.*?)/*\|(%s(?:-\w+)?)$" % codename(),
                       listed, re.M)
    return sorted(set(found), key=lambda pair: (pair[1], pair[0]))


def why_not():
    """Why the packages cannot be tested here; None if they can."""
    if SANITIZED:
        return "packages are of the release build"
    if os.geteuid() != 0:
        return "only root can make a root file system"
    for tool in ("apt-get", "debootstrap", "dpkg-buildpackage", "dh",
                 "lintian", "unshare"):
        if shutil.which(tool) is None:
            return tool + " is not installed: scripts/deps --test"
    if not succeeds("unshare", "--mount", "--pid", "--fork", "true"):
        return "no namespaces can be made here"
    found = mirrors()
    if not found or found[0][1] != codename():
        return "apt has no mirror of the Debian that this machine runs"
    with tempfile.TemporaryDirectory() as directory:
        if not succeeds("/usr/lib/apt/apt-helper", "download-file",
                        "%s/dists/%s/Release" % found[0],
                        directory + "/Release"):
            return found[0][0] + " does not answer"
    return None


def copy_tree(to):
    """The last commit; all of it where there is no git."""
    if os.path.exists(ROOT + "/.git"):
        archive = to + ".tar"
        run("git", "-c", "safe.directory=*", "archive", "-o", archive, "HEAD",
            cwd=ROOT)
        os.mkdir(to)
        run("tar", "-x", "-f", archive, "-C", to)
        os.unlink(archive)
    else:
        shutil.copytree(ROOT, to, symlinks=True,
                        ignore=shutil.ignore_patterns("build", "__pycache__"))


class Control(unittest.TestCase):
    """What debian/ says again that stands elsewhere too."""

    def read(self, path):
        with open(ROOT + "/" + path) as file:
            return file.read()

    def test_version_is_that_of_the_programs(self):
        self.assertEqual(
            re.search(r'WYN_VERSION "(.*)"', self.read("base/version.h"))[1],
            re.match(r"wynd \((.*?)\)", self.read("debian/changelog"))[1])

    def test_build_depends_on_what_deps_installs(self):
        deps = re.findall(r"^run +(\S+)", self.read("scripts/deps"), re.M)
        source = self.read("debian/control").split("\n\n")[0]
        wanted = set(re.findall(r"^ ([\w.+-]+)", source, re.M))
        # Every machine that builds packages has these.
        self.assertEqual(
            [], sorted(set(deps) - wanted - {"gcc", "libc6-dev", "make"}))


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reason = why_not()
        if cls.reason is not None:
            return
        cls.temporary = tempfile.mkdtemp(prefix="wyn-deb-", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.temporary)
        cls.root = cls.temporary + "/root"
        # Both at a time: one waits for the network, the other for the compiler.
        log = open(cls.temporary + "/debootstrap.log", "w+")
        cls.addClassCleanup(log.close)
        # debootstrap mounts, too, and nothing of that is for the host to see.
        bootstrap = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child",
             "debootstrap", "--variant=minbase", codename(), cls.root,
             mirrors()[0][0]],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            copy_tree(cls.temporary + "/tree")
            run("make", "-s", "deb", "BUILD=build",
                cwd=cls.temporary + "/tree")
            code = bootstrap.wait(PATIENCE)
        finally:
            bootstrap.kill()
            bootstrap.wait()
        if code != 0:
            log.seek(0)
            raise AssertionError("debootstrap failed:\n" + log.read())
        cls.built = cls.temporary + "/tree/build/deb"
        cls.settle()

    @classmethod
    def settle(cls):
        """The root has the host's mirrors and proxies, starts no service, and
        writes to disk when it likes."""
        apt = cls.root + "/etc/apt/"
        with open(apt + "sources.list", "w") as file:
            for mirror in mirrors():
                file.write("deb %s %s main\n" % mirror)
        with open(apt + "apt.conf.d/99host", "w") as file:
            for line in run("apt-config", "dump").splitlines():
                if re.match(r"Acquire::(https?|Check|Retries)", line):
                    file.write(line + "\n")
        with open(cls.root + "/etc/dpkg/dpkg.cfg.d/unsafe-io", "w") as file:
            file.write("force-unsafe-io\n")
        policy = cls.root + "/usr/sbin/policy-rc.d"
        with open(policy, "w") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
        os.mkdir(cls.root + "/srv/packages")
        for name in PACKAGES:
            package, = glob.glob("%s/%s_*.deb" % (cls.built, name))
            shutil.copy(package, cls.root + "/srv/packages")

    def setUp(self):
        if self.reason is not None:
            self.skipTest(self.reason)

    def inside(self, script):
        """What a script in the root prints; all that it began has ended."""
        return run("unshare", "--mount", "--pid", "--fork", "--kill-child",
                   "sh", "-c", ENTER, "enter", self.root,
                   "/bin/bash", "-euo", "pipefail", "-c", script,
                   env=ENVIRONMENT)

    def files(self):
        """{path: (mode, owner, group, target of a link)} of the root."""
        found = {}
        for directory, names, others in os.walk(self.root):
            for name in names + others:
                path = os.path.join(directory, name)
                status = os.lstat(path)
                link = stat.S_ISLNK(status.st_mode) and os.readlink(path)
                found[os.path.relpath(path, self.root)] = (
                    status.st_mode, status.st_uid, status.st_gid, link)
        return {path: what for path, what in found.items()
                if not BOOKKEEPING.match(path)}

    def exists(self, path):
        return os.path.lexists(self.root + path)

    def unit(self, name):
        with open("%s/usr/lib/systemd/system/wynd.service" % self.root) as file:
            value, = re.findall("^%s=(.*)$" % name, file.read(), re.M)
        return value

    def test_lintian_finds_no_error(self):
        changes, = glob.glob(self.built + "/*.changes")
        said = run("lintian", "--allow-root", "--fail-on=error", changes)
        print(said, end="", flush=True)

    def test_packages_are_installed_used_removed_and_purged(self):
        self.inside("apt-get -qq update")
        planned = self.inside(
            APT + "--simulate install /srv/packages/*.deb")
        needed = set(re.findall(r"^Inst (\S+)", planned, re.M))
        self.assertLessEqual(set(PACKAGES), needed)
        self.inside(APT + "install " + " ".join(
            COMPILER + sorted(needed - set(PACKAGES))))
        before = self.files()

        self.inside(APT + "install /srv/packages/*.deb")
        self.check_installed()
        self.check_use()
        self.check_pages()

        self.inside(APT + "remove " + " ".join(PACKAGES))
        self.assertTrue(self.exists("/etc/wynd/wynd.conf"))
        self.assertFalse(self.exists("/usr/bin/wynd"))
        # The administrator's, and what a module has kept.
        self.inside("mkdir /etc/wynd/wynd.conf.d /var/lib/wynd"
                    " && touch /etc/wynd/wynd.conf.d/mine.conf"
                    " /var/lib/wynd/kept")
        self.inside("dpkg --purge " + " ".join(PACKAGES))
        after = self.files()
        self.assertEqual(
            ["etc/wynd", "etc/wynd/wynd.conf.d",
             "etc/wynd/wynd.conf.d/mine.conf"],
            sorted(set(after) - set(before)))
        self.assertEqual(
            {}, {path: (what, after.get(path))
                 for path, what in before.items() if after.get(path) != what})
        # What files elsewhere may belong to.
        self.inside("getent passwd wynd && getent group wynd")

    def check_installed(self):
        self.assertEqual(
            " /etc/wynd/wynd.conf", self.inside(
                "dpkg-query --show --showformat '${Conffiles}' wynd"
                ).strip("\n").rpartition(" ")[0])
        for line in self.inside("cat /etc/wynd/wynd.conf").splitlines():
            self.assertRegex(line, "^(#|$)")
        self.inside("wynd --check-config")
        for path in ("/etc/systemd/system/sockets.target.wants/wynd.socket",
                     "/etc/systemd/system/multi-user.target.wants/wynd.service",
                     "/usr/lib/systemd/user/wynd.socket",
                     "/usr/share/doc/wynctl/wynctl.schema.json",
                     "/usr/share/bash-completion/completions/wynctl",
                     "/usr/libexec/wynd/wynd-spawner",
                     "/usr/lib/systemd/system/wynd-spawner.socket"):
            self.assertTrue(self.exists(path), path)
        self.assertFalse(glob.glob(
            self.root + "/etc/systemd/system/**/wynd-spawner.*",
            recursive=True))
        self.assertFalse(glob.glob(
            self.root + "/etc/systemd/user/**/wynd.*", recursive=True))

    def check_use(self):
        """The user and the directory are those of the unit."""
        self.assertEqual(["wynd", "wynd"],
                         [self.unit("User"), self.unit("Group")])
        self.assertEqual("wynd", self.unit("RuntimeDirectory"))
        # As after the machine was started.
        shutil.rmtree(self.root + "/run/wynd")
        printed = self.inside(USE.replace("@exec@", self.unit("ExecStart")))
        parts = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", printed,
                                re.M | re.S))
        self.assertEqual(SHA256_HELLO + "\n", parts["call"])
        self.assertEqual(SHA256_HELLO + "\n", parts["member"])
        self.assertRegex(parts["stranger"], r"\n77\n$")
        self.assertEqual(
            2 * "4097 numbers sorted\n" + 2 * ("1\t%s\n" % SHA256_HELLO),
            parts["examples"])
        self.assertIn("hello", parts["module"])

    def check_pages(self):
        """Every page is there, and every other name of one leads to it."""
        man = self.root + "/usr/share/man"
        for source in glob.glob(ROOT + "/docs/*.scd"):
            page = os.path.basename(source)[:-len(".scd")]
            path = "%s/man%s/%s.gz" % (man, page[-1], page)
            self.assertIn(".TH", run("gzip", "-dc", path))
        pages = glob.glob(man + "/man3/wyn_*")
        self.assertTrue(any(map(os.path.islink, pages)))
        for path in pages:
            self.assertTrue(os.path.isfile(path), path)


if __name__ == "__main__":
    main()
