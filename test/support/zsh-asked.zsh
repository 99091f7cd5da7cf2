# An interactive zsh in which Tab writes what is offered into $OFFERS_FOLDER/offered. _gsup lies in that folder, as users install it.
PROMPT=
fpath=($OFFERS_FOLDER $fpath)
autoload -Uz compinit
compinit -D -u
typeset -ga offered
# What completion functions offer goes through it; with -O, -A or -D they only ask what would match.
compadd() {
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    local -a hits
    builtin compadd -A hits "$@"
    offered+=($hits)
  fi
  builtin compadd "$@"
}
tell-offered() {
  offered=()
  _main_complete
  print -rl -- $offered >$OFFERS_FOLDER/offered
  compstate[insert]= compstate[list]=
  print -n 'TO''LD' >/dev/tty
}
zle -C tell-offered complete-word tell-offered
bindkey '^I' tell-offered
print 'REA''DY'
