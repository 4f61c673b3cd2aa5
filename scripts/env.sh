# Sourced by the commands beside it once they have set `root`, the checkout. Leaves `python`, the
# interpreter of .venv, which holds requirements.lock and this checkout. Talks on stderr only; when
# that cannot be had: one sentence with the remedy, exit 2.

venv="$root/.venv"
lock="$root/requirements.lock"
python="$venv/bin/python"

# With stdin closed its number would go to the next file opened, and a child would read that.
(exec 3<&0) 2>/dev/null || exec </dev/null

# Another Python's settings must not reach ours; what is compiled is kept, or every command and
# every test process compiles the rooms anew.
unset PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
PIP_USER=0
PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_USER PIP_DISABLE_PIP_VERSION_CHECK

say() {
    printf 'fieldmesh: %s\n' "$1" >&2
}

# Prints "ready", "venvless" or "wrong", the name and the path; reads on any Python back to 2.7.
probe='
import platform, sys
name = "%s %d.%d" % ((platform.python_implementation(),) + tuple(sys.version_info[:2]))
if sys.maxsize < 2**32:
    name += " of 32 bits"
word = "wrong"
if name in ("CPython 3.11", "CPython 3.12"):
    try:
        import ensurepip, venv
        word = "ready"
    except ImportError:
        word = "venvless"
print("|".join((word, name, sys.executable)))
'

# Takes the program $1 if it runs and fits; a shim of pyenv is there for versions that are not.
# Sets `found`, or `wrong` or `venvless` to the first of those for the sentence at the end.
consider() {
    [ -x "$1" ] && [ ! -d "$1" ] || return 1
    answer=$("$1" -c "$probe" 2>/dev/null </dev/null) || return 1
    path=${answer#*|*|}
    case $answer in
        ready\|*) found=$path ;;
        venvless\|*)
            venvless=${venvless:-$path}
            [ -n "$uv" ] && found=$path ;;
        wrong\|*)
            name=${answer#*|}
            wrong=${wrong:-"${name%%|*} ($path)"} ;;
    esac
    [ -n "$found" ]
}

# Sets `found` to the first Python that fits: on PATH, kept by pyenv, kept by uv.
find_python() {
    found='' wrong='' venvless='' uv=''
    if uv --version >/dev/null 2>&1; then uv=uv; fi
    for name in python3.11 python3.12 python3 python; do
        rest="$PATH:"
        while [ -n "$rest" ]; do
            consider "${rest%%:*}/$name" && return 0
            rest=${rest#*:}
        done
    done
    for path in "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1[12].*/bin/python; do
        consider "$path" && return 0
    done
    [ -n "$uv" ] || return 1
    consider "$(uv python find --no-python-downloads '>=3.11,<3.13' 2>/dev/null)"
}

# Says why there is no Python to use, and what to do about it.
explain() {
    needs='Fieldmesh needs CPython 3.11 or 3.12, 64-bit'
    remedy="install one (Debian 12 or Ubuntu 24.04: apt install python3 python3-venv; anywhere: \
install uv, then uv python install 3.12) and run this again."
    if [ -n "$venvless" ]; then
        say "$venvless has no venv module: install it (Debian and Ubuntu: apt install \
python3-venv), or uv, and run this again."
    elif [ -n "$wrong" ]; then
        say "$needs, and found only $wrong: $remedy"
    else
        say "$needs, and no Python was found: $remedy"
    fi
}

# What .venv was made from and where: it does not survive a move.
wanted() {
    cat "$lock" "$root/pyproject.toml" | sha256sum
    printf '%s\n' "$root"
}

is_current() {
    [ -x "$python" ] && [ -r "$venv/stamp" ] && [ "$(cat "$venv/stamp")" = "$(wanted)" ]
}

# True if .venv was made here and still works, so that a new lock only changes what differs.
is_sound() {
    "$python" -c "$probe" 2>/dev/null </dev/null | grep -Eq '^(ready|venvless)\|' || return 1
    "$python" -m pip --version >/dev/null 2>&1 || return 1
    [ ! -e "$venv/stamp" ] || [ "$(sed -n 2p "$venv/stamp")" = "$root" ]
}

fill_with_uv() {
    [ -n "$uv" ] || return 1
    [ -x "$python" ] || uv venv --quiet --python "$found" "$venv" || return 1
    uv pip install --quiet --python "$python" --require-hashes -r "$lock" &&
        uv pip install --quiet --python "$python" --no-deps --no-build-isolation -e "$root"
}

fill_with_pip() {
    [ -z "$venvless" ] || [ "$venvless" != "$found" ] || return 1
    "$python" -m pip --version >/dev/null 2>&1 || "$found" -m venv "$venv" || return 1
    "$python" -m pip install -qq --only-binary :all: --require-hashes -r "$lock" &&
        "$python" -m pip install -qq --no-deps --no-build-isolation -e "$root"
}

build() {
    find_python || { explain; return 2; }
    say 'making .venv from requirements.lock; this happens once and takes a minute or two'
    is_sound || rm -rf "$venv"
    rm -f "$venv/stamp"
    cd "$root" || return 2
    if fill_with_uv || fill_with_pip; then
        wanted >"$venv/stamp"
    else
        say "the packages of requirements.lock could not be installed (the reason is above): \
connect this machine to the network for this first run, with 500 MB of disk free, and run this again."
        return 2
    fi
}

if ! is_current; then
    # Two commands started at once build it once.
    (
        if command -v flock >/dev/null 2>&1; then flock 9; fi
        is_current || build
    ) 9<"$lock" >&2 || exit 2
fi
