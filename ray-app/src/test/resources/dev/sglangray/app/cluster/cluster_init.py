# SPDX-License-Identifier: Apache-2.0
"""The first process of a test cluster: pid 1 of its own pid namespace.

Started by ``TestCluster`` under ``unshare`` with one JSON argument. It builds one network, mount and host-name
namespace per node, joined by a bridge, prints one JSON line that names the holder process of each node, and then only
reaps zombies until its standard input ends. Standard input is a pipe whose other end is in the test JVM: however the
JVM ends, this process ends, and the kernel kills every process of the namespace with it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time

GATEWAY = {4: "10.9.0.254/24", 6: "fd00:9::fe/64"}
# A /tmp and a /dev/shm of the node's own; in its /tmp only the folders given as arguments are the machine's; names of the nodes; no DNS.
PRIVATE_FILES = """
set -e
hostname "$0"; stage=$1; shift
mkdir "$stage"; mount -n -t tmpfs -o mode=1777,size=8g tmpfs "$stage"
for kept in "$@"; do
  if [ -d "$kept" ]; then mkdir -p "$stage${kept#/tmp}"; mount -n --rbind "$kept" "$stage${kept#/tmp}"; fi
done
mount -n --move "$stage" /tmp
mkdir /tmp/.node; cat > /tmp/.node/hosts; : > /tmp/.node/resolv.conf
mount -n -t tmpfs -o mode=1777,size=2g tmpfs /dev/shm
mount -n --bind /tmp/.node/hosts /etc/hosts; mount -n --bind /tmp/.node/resolv.conf /etc/resolv.conf
"""
HOLDER = ["unshare", "--mount", "--net", "--uts", "sleep", "infinity"]


def run(*command, stdin=None):
    result = subprocess.run(command, check=False, input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {result.returncode}: {result.stderr.strip()}")


def version(node):
    return 6 if ":" in node["ip"] else 4


def prepare_cluster(nodes):
    # Without "nodad" an IPv6 address cannot be used for a second or two.
    bridge = f"addr add {GATEWAY[4]} dev br0\n"
    if any(version(node) == 6 for node in nodes):
        bridge = f"addr add {GATEWAY[6]} dev br0 nodad\n"
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "-batch", "-", stdin=bridge + "link set br0 up\n")
    # A container's /dev/shm may be too small for Ray's object store.
    run("mount", "-n", "-t", "tmpfs", "-o", "mode=1777,size=2g", "tmpfs", "/dev/shm")


def start_holder():
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.execvp(HOLDER[0], HOLDER)
    deadline = time.monotonic() + 10
    # The holder is itself only after unshare has become sleep; until then its namespaces are ours.
    while not comm(pid).startswith("sleep"):
        if time.monotonic() > deadline:
            raise SystemExit("the holder of a node did not start within 10 s")
        time.sleep(0.002)
    return pid


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read()


def prepare_node(index, node, hosts, kept):
    pid = start_holder()
    inside = ["nsenter", "-t", str(pid), "--mount", "--net", "--uts"]
    link = f"veth{index}"
    run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    run("ip", "link", "set", link, "master", "br0", "up")
    gateway, bits = GATEWAY[version(node)].split("/")
    nodad = " nodad" if version(node) == 6 else ""
    addresses = f"link set lo up\naddr add {node['ip']}/{bits} dev eth0{nodad}\nlink set eth0 up\n"
    run(*inside, "ip", "-batch", "-", stdin=f"{addresses}route add default via {gateway}\n")
    stage = f"/dev/shm/tmp-{index}"
    run(*inside, "sh", "-c", PRIVATE_FILES, node["name"], stage, *kept, stdin=hosts)
    return pid


def reap():
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def main():
    spec = json.loads(sys.argv[1])
    prepare_cluster(spec["nodes"])
    hosts = "127.0.0.1 localhost\n::1 localhost\n" + "".join(f"{node['ip']} {node['name']}\n" for node in spec["nodes"])
    holders = [prepare_node(index, node, hosts, spec["kept"]) for index, node in enumerate(spec["nodes"])]
    print(json.dumps({"holders": holders}), flush=True)

    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reap()
    while True:
        readable, _, _ = select.select([0, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            reap()
        if 0 in readable and not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
