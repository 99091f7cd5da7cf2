# Types each of its arguments into a zsh on a terminal, and Tab; prints what is offered for the last of them. $OFFERS_ASKED: zsh-asked.zsh.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source $OFFERS_ASKED'
zpty -r shell said '*READY*'
for line in "$@"; do
  # ^U: without what was typed before.
  zpty -w -n shell $'\x15'"$line"$'\t'
  zpty -r shell said '*TOLD*'
done
cat $OFFERS_FOLDER/offered
zpty -d shell
