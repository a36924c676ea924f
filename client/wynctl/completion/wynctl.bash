# bash completion of wynctl
# SPDX-License-Identifier: MIT
# Made by scripts/completion from what `wynctl --help` says.

_wynctl() {
	local current=${COMP_WORDS[COMP_CWORD]} command= words= word i
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-c | --connect | -t | --timeout | -d | --deadline | -p | --priority | -l | --label | -j | --jobs | --in-flight | -a | --arg-file | -n | --max-args | --halt | --joblog | -e | --env | --cwd | --grace | --memory | --cpu | --processes | --user | -b | --batch | --rate | --connections | --size | --duration | --warmup | -n | --count | --function | --state | --connection | --after | --limit) ((i++)) ;;
		-*) ;;
		*) command=${command:-$word} ;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-c | --connect) words="" ;;
	-t | --timeout) words="" ;;
	-d | --deadline) words="" ;;
	-p | --priority) words="low normal high" ;;
	-l | --label) words="" ;;
	-j | --jobs) words="" ;;
	--in-flight) words="" ;;
	-a | --arg-file) words="" ;;
	-n | --max-args) words="" ;;
	--halt) words="" ;;
	--joblog) words="" ;;
	-e | --env) words="" ;;
	--cwd) words="" ;;
	--grace) words="" ;;
	--memory) words="" ;;
	--cpu) words="" ;;
	--processes) words="" ;;
	--user) words="" ;;
	-b | --batch) words="" ;;
	--rate) words="" ;;
	--connections) words="" ;;
	--size) words="" ;;
	--duration) words="" ;;
	--warmup) words="" ;;
	-n | --count) words="" ;;
	--function) words="$(wynctl functions 2>/dev/null | sed -n 's/^\([a-z0-9_.-]\{1,\}\)\( .*\)\{0,1\}$/\1/p')" ;;
	--state) words="uploading queued next running output ended" ;;
	--connection) words="" ;;
	--after) words="" ;;
	--limit) words="" ;;
	*)
		case $command:$current in
		:-*) words="-c --connect --json -h --help -V --version" ;;
		:*) words="call map xargs repeat bench run functions list show logs wait cancel signal explain module stats ping version drain reload help" ;;
		call:-*) words="-c --connect --json -h --help -V --version -r --raw -s --stream -t --timeout -d --deadline -p --priority --detach -l --label" ;;
		call:*) words="$(wynctl functions 2>/dev/null | sed -n 's/^\([a-z0-9_.-]\{1,\}\)\( .*\)\{0,1\}$/\1/p')" ;;
		map:-*) words="-c --connect --json -h --help -V --version -f --files -0 --null -u --unordered -j --jobs --in-flight -t --timeout -d --deadline -p --priority -l --label" ;;
		map:*) words="$(wynctl functions 2>/dev/null | sed -n 's/^\([a-z0-9_.-]\{1,\}\)\( .*\)\{0,1\}$/\1/p')" ;;
		xargs:-*) words="-c --connect --json -h --help -V --version -0 --null -t --timeout -d --deadline -p --priority -a --arg-file -n --max-args -j --jobs -k --keep-order --line-buffer -u --ungroup --tag --halt --joblog --resume --dry-run --progress --eta -l --label -e --env --cwd --grace --memory --cpu --processes --user -m --merge" ;;
		xargs:*) words="" ;;
		repeat:-*) words="-c --connect --json -h --help -V --version -j --jobs --in-flight -b --batch -t --timeout -d --deadline -p --priority" ;;
		repeat:*) words="$(wynctl functions 2>/dev/null | sed -n 's/^\([a-z0-9_.-]\{1,\}\)\( .*\)\{0,1\}$/\1/p')" ;;
		bench:-*) words="-c --connect --json -h --help -V --version -j --jobs --in-flight -b --batch --rate --connections --size --duration --warmup -t --timeout -d --deadline -p --priority -n --count" ;;
		bench:*) words="$(wynctl functions 2>/dev/null | sed -n 's/^\([a-z0-9_.-]\{1,\}\)\( .*\)\{0,1\}$/\1/p')" ;;
		run:-*) words="-c --connect --json -h --help -V --version -t --timeout -d --deadline -p --priority --detach -l --label -e --env --cwd --grace --memory --cpu --processes --user -m --merge" ;;
		run:*) words="" ;;
		functions:-*) words="-c --connect --json -h --help -V --version" ;;
		functions:*) words="" ;;
		list:-*) words="-c --connect --json -h --help -V --version --function --state --connection --after --limit -l --label" ;;
		list:*) words="" ;;
		show:-*) words="-c --connect --json -h --help -V --version" ;;
		show:*) words="" ;;
		logs:-*) words="-c --connect --json -h --help -V --version -r --raw -f --follow" ;;
		logs:*) words="" ;;
		wait:-*) words="-c --connect --json -h --help -V --version" ;;
		wait:*) words="" ;;
		cancel:-*) words="-c --connect --json -h --help -V --version --grace" ;;
		cancel:*) words="" ;;
		signal:-*) words="-c --connect --json -h --help -V --version" ;;
		signal:*) words="" ;;
		explain:-*) words="-c --connect --json -h --help -V --version --connection" ;;
		explain:*) words="" ;;
		module:-*) words="-c --connect --json -h --help -V --version" ;;
		module:*) words="list check" ;;
		stats:-*) words="-c --connect --json -h --help -V --version -n --count -w --watch" ;;
		stats:*) words="" ;;
		ping:-*) words="-c --connect --json -h --help -V --version -n --count" ;;
		ping:*) words="" ;;
		version:-*) words="-c --connect --json -h --help -V --version" ;;
		version:*) words="" ;;
		drain:-*) words="-c --connect --json -h --help -V --version" ;;
		drain:*) words="" ;;
		reload:-*) words="-c --connect --json -h --help -V --version" ;;
		reload:*) words="" ;;
		help:-*) words="-c --connect --json -h --help -V --version" ;;
		help:*) words="call map xargs repeat bench run functions list show logs wait cancel signal explain module stats ping version drain reload help" ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _wynctl wynctl
