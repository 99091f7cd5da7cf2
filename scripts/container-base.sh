#!/bin/sh
# Makes the images that the container ring runs on, once: a minimal Debian with this machine's node, and with --programs
# one with real servers on top. No image is pulled: everything comes from the Debian mirror that apt is configured for.
#
#   scripts/container-base.sh [--programs]     exit 0: the images are there. 77: not possible here, the last line says why
#
# A second call finds the images and takes a fraction of a second. Files are kept in $GSUP_TEST_CACHE (~/.cache/gsup-test).
set -eu

base=localhost/gsup-test-base
programs=localhost/gsup-test-programs
cache=${GSUP_TEST_CACHE:-${HOME:-/root}/.cache/gsup-test}
here=$(cd "$(dirname "$0")" && pwd)
export CONTAINERS_CONF="$here/../test/container/containers.conf" STORAGE_DRIVER=overlay
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

cannot() {
	echo "container ring cannot run here: $*" >&2
	exit 77
}

say() {
	echo "container-base: $*" >&2
}

need_packages() {
	missing=
	for pair in podman:podman runc:runc buildah:buildah debootstrap:debootstrap netavark:/usr/lib/podman/netavark; do
		command -v "${pair#*:}" >/dev/null 2>&1 || missing="$missing ${pair%%:*}"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null 2>&1 || cannot "there is no$missing, and no apt-get to install it"
	say "installing$missing"
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$cache/apt.log" 2>&1 ||
		cannot "cannot install$missing: $(tail -n 1 "$cache/apt.log")"
}

# The first Debian archive that apt knows which has the release itself: deb822 files first, then one-line files.
apt_mirror() {
	{
		cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
			awk -v s="$1" '/^URIs:/ { u = $2 } /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == s && u) print u } /^$/ { u = "" }'
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed 's/\[[^]]*\]//' |
			awk -v s="$1" '$1 == "deb" && $3 == s { print $2 }'
	} | head -n 1
}

# Node goes in as it runs here, with its npm and those libraries of it that a minimal Debian lacks.
add_node() {
	npm=${node%/bin/*}/lib/node_modules/npm
	# A node that has none of its own goes in with the npm that runs here.
	[ -f "$npm/bin/npm-cli.js" ] || npm=$(readlink -f "$(command -v npm)") && npm=${npm%/bin/npm-cli.js}
	if [ -f "$npm/bin/npm-cli.js" ]; then
		mkdir -p "$1/usr/lib/node_modules"
		cp -a "$npm" "$1/usr/lib/node_modules/"
		ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/bin/npm"
	fi
	install -D -m 755 "$node" "$1/usr/bin/node"
	ldd "$node" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		[ -e "$1$lib" ] || install -D -m 755 "$lib" "$1$lib"
	done
}

has_image() {
	[ "$(podman image inspect -f '{{index .Labels "gsup.test"}}' "$1" 2>/dev/null)" = "$2" ]
}

make_base() {
	tar="$cache/debian-$suite.tar"
	root="$cache/root.$$"
	trap 'rm -rf "$root"' EXIT
	mkdir -p "$root"
	if [ -s "$tar" ]; then
		tar -C "$root" -xf "$tar"
	else
		say "making a minimal Debian $suite, this takes a minute"
		include=
		case $mirror in https:*) include=--include=ca-certificates ;; esac
		debootstrap --variant=minbase $include "$suite" "$root" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
			{ tail -n 5 "$cache/debootstrap.log" >&2; exit 1; }
		rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man \
			"$root"/usr/share/locale "$root"/var/log/*.log
		tar -C "$root" -cf "$tar.$$" . && mv "$tar.$$" "$tar"
	fi
	add_node "$root"
	podman rmi "$programs" "$base" >/dev/null 2>&1 || true
	tar -C "$root" -c . | podman import -q --change "LABEL gsup.test=$base_key" - "$base" >/dev/null
	rm -rf "$root"
	trap - EXIT
}

# A layer on the base: apt runs in a chroot of it, with this machine's network and mirror. Documentation stays out.
make_programs() {
	say 'installing PostgreSQL, nginx and Redis into an image, this takes a minute'
	work=$(buildah from --pull-never "$base")
	trap 'buildah rm "$work" >/dev/null' EXIT
	root=$(buildah mount "$work")
	echo "deb $mirror $suite main" >"$root/etc/apt/sources.list"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
	apt-config dump | grep -iE '^Acquire::.*(proxy|check-valid|force|retries)' >"$root/etc/apt/apt.conf.d/90host" || true
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	printf '%s\n' 'path-exclude /usr/share/doc/*' force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/small"
	chroot "$root" sh -c 'apt-get update -qq &&
		apt-get install -y -qq --no-install-recommends postgresql nginx-light redis-server &&
		apt-get clean && rm -rf /var/lib/apt/lists/* &&
		install -d -o postgres -g postgres /run/postgresql && install -d -o redis -g redis /data' \
		>"$cache/programs.log" 2>&1 || { tail -n 5 "$cache/programs.log" >&2; exit 1; }
	buildah config --label "gsup.test=$programs_key" "$work"
	buildah commit -q "$work" "$programs" >/dev/null
	buildah rm "$work" >/dev/null
	trap - EXIT
}

[ "$(uname -s)" = Linux ] || cannot 'this is not Linux'
[ "$(id -u)" = 0 ] || cannot 'it needs root'
node=$(node -p process.execPath 2>/dev/null) || cannot 'there is no node'
suite=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
mirror=$(apt_mirror "$suite")
[ -n "$mirror" ] || cannot "apt has no source of the release \"$suite\" to make an image from"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
need_packages
base_key=$( (cat "$0"; stat -Lc '%n %s %Y' "$node"; echo "$suite") | cksum | tr -d ' ')
programs_key="$base_key-programs"
has_image "$base" "$base_key" || make_base
podman run --rm "$base" node --version >/dev/null 2>"$cache/try.log" || cannot "no container starts: $(tail -n 1 "$cache/try.log")"
if [ "${1:-}" = --programs ]; then
	has_image "$programs" "$programs_key" || make_programs
fi
