#!/bin/sh
# Runs as root inside the image once its packages are there: the user, the mount points, the shell's looks.
set -eu

# Debian refuses `pip install` outside of its own packages; here installs go to the home directory.
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED

ID=10001
grep -q '^slipway:' /etc/group || echo "slipway:x:$ID:" >> /etc/group
grep -q '^slipway:' /etc/passwd || echo "slipway:x:$ID:$ID:Slipway:/home/slipway:/bin/bash" >> /etc/passwd

# The root is read-only in a session: everything that is mounted there must exist.
mkdir -p /workspace /home/slipway /var/lib/slipway /run/slipway /run/cgroup/memory /opt/slipway/bin
chown "$ID:$ID" /workspace /home/slipway /var/lib/slipway 2>/dev/null || true
: > /etc/resolv.conf
: > /etc/pip.conf
: > /etc/npmrc
: > /opt/slipway/bin/slipway-agent
mkdir -p /usr/local/etc
ln -sf /etc/npmrc /usr/local/etc/npmrc
echo slipway > /etc/hostname
printf '127.0.0.1 localhost slipway\n::1 localhost\n' > /etc/hosts
ln -sf python3 /usr/bin/python

cat > /etc/bash.bashrc <<'RC'
# Interactive shells of a session. ~/.bashrc is read after this and may change all of it.
case $- in *i*) ;; *) return ;; esac
shopt -s checkwinsize histappend
HISTCONTROL=ignoreboth
HISTSIZE=10000
HISTFILESIZE=20000
# The first line names the place below the workspace, the mark turns red after a failure.
__slipway_prompt() {
  local status=$? mark='\[\e[32m\]' place=${PWD/#\/workspace/workspace}
  [ "$status" -eq 0 ] || mark='\[\e[31m\]'
  PS1="\[\e[1;34m\]${place/#$HOME/\~}\[\e[0m\] ${mark}\\$\[\e[0m\] "
}
PROMPT_COMMAND=__slipway_prompt
alias ls='ls --color=auto' ll='ls -lh' la='ls -lha' grep='grep --color=auto'
export LESS=-FRX
RC
printf '[ -n "$BASH_VERSION" ] && [ -f ~/.bashrc ] && . ~/.bashrc\n' > /etc/profile.d/slipway-bashrc.sh
# Debian's /etc/profile resets PATH, which would hide what people install into their home.
cat > /etc/profile.d/slipway-path.sh <<'RC'
case ":$PATH:" in
  *":/home/slipway/.local/bin:"*) ;;
  *) PATH="/home/slipway/.local/bin:/home/slipway/.npm-global/bin:$PATH" ;;
esac
export PATH
RC

rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /root/.cache /root/.npm /var/log/*.log
