#!/bin/sh
# Builds the C part: dist/native/gsup, static; with musl-gcc where there is one (small), else with cc.
#   sh src/init/build.sh            the native entry
#   sh src/init/build.sh test       build/gsup-asan and the drivers of the vectors, with AddressSanitizer and UBSan
# CC, CFLAGS and OUT may be given (cross-compiling: CC=aarch64-linux-gnu-gcc OUT=dist/native/gsup-arm64).
set -eu
cd "$(dirname "$0")/../.."
here=src/init
if [ -z "${CC:-}" ] && [ "$(uname -s)" != Linux ]; then
	echo "no native entry on $(uname -s): gsup runs over the portable host" >&2
	exit 0
fi
parts="main options probe text say state record order tree spawn terminal run usage rest listen output lines log-file pump leftovers notify coordinator runs forward stand-in tini dumb-init installation node memory config first control health peers absence ending detach supervisor orphans"
sources=$(for part in $parts; do printf '%s/%s.c ' $here "$part"; done)
warn="-std=gnu11 -Wall -Wextra -Werror -Wno-missing-field-initializers"

if [ "${1:-}" = test ]; then
	mkdir -p build
	cc=${CC:-cc}
	sane="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
	$cc $warn $sane -o build/gsup-asan $sources
	$cc $warn $sane -o build/options-driver $here/test/options-driver.c $here/options.c $here/probe.c $here/text.c
	$cc $warn $sane -o build/order-driver $here/test/order-driver.c $here/order.c
	world="-include $here/test/fuzz-world.h -Wno-unused-function -Wno-unused-parameter"
	$cc $warn $sane $world -o build/model-init $here/test/model-init.c $here/text.c $here/orphans.c
	$cc $warn $sane $world -o build/model-coordinator $here/test/model-coordinator.c \
		$here/run.c $here/usage.c $here/order.c $here/record.c $here/text.c $here/say.c $here/options.c $here/probe.c $here/memory.c $here/orphans.c
	exit 0
fi

out=${OUT:-dist/native/gsup}
if [ -z "${CC:-}" ]; then
	if command -v musl-gcc >/dev/null 2>&1; then CC=musl-gcc; else CC=cc; fi
fi
mkdir -p "$(dirname "$out")"
# Static, so that it runs in any image; where there is no static libc (or the platform has none), as it can be.
# Small, in memory too: no unused section, no tables for unwinding, code and constants in one segment, and what has pages of
# its own (PAGES in init.h) apart from the rest.
small="-fno-pie -no-pie -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections"
linked="-Wl,--gc-sections,--sort-section=alignment,-z,noseparate-code,-z,norelro,--build-id=none"
# layout.ld: for every linker that can read it.
layout=-Wl,-T,$here/layout.ld
echo 'int main(void) { return 0; }' | $CC $linked $layout -static -o "$out.new" -x c - 2>/dev/null || layout=
$CC $warn ${CFLAGS:--Os} $small $linked $layout -static -s -o "$out.new" $sources 2>"$out.log" ||
	{ cat "$out.log" >&2; rm -f "$out.new" "$out.log"; echo "cannot build the native entry with $CC" >&2; exit 1; }
rm -f "$out.log"
mv "$out.new" "$out"

# Under the name that it has in the package, too: what `npm pack --ignore-scripts` makes of a checkout works on machines like this one.
if [ -z "${OUT:-}" ]; then
	case $(uname -sm) in
	'Linux x86_64') named=$out-x64 ;;
	'Linux aarch64') named=$out-arm64 ;;
	*) exit 0 ;;
	esac
	cp "$out" "$named.new"
	mv "$named.new" "$named"
fi
