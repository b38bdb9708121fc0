#compdef ckptconv
# zsh completions, written by 'ckptconv --generate zsh'

_ckptconv() {
    local context state state_descr line
    typeset -A opt_args
    local -a shared=(
        '(-h --help)-h[-h prints a summary, --help the manual]'
        '(-h --help)--help[-h prints a summary, --help the manual]'
        '(--json)--json[print the result as JSON on standard output]'
        '(-q --quiet)-q[say nothing but warnings and errors]'
        '(-q --quiet)--quiet[say nothing but warnings and errors]'
        '(--color)--color=[use colors\: auto, always or never]:WHEN:((auto\:on\ a\ terminal\,\ unless\ NO\_COLOR\ is\ set\ or\ TERM\ is\ dumb always\:everywhere never\:nowhere))'
        '(--threads)--threads=[copy with N threads]:N: '
    )
    local -a commands=(
        'pt-to-safetensors:convert .pt files or a checkpoint directory to safetensors'
        'safetensors-to-pt:convert safetensors files or a checkpoint directory to .pt'
        'olmo-to-hf:convert an OLMo checkpoint to a Hugging Face folder'
        'hf-to-olmo:convert a Hugging Face folder to an OLMo checkpoint'
        'config:translate config.yaml to config.json or back'
        'verify:tell whether two checkpoints are the same, bit for bit'
        'roundtrip:prove that a file comes back from the other format'
        'diff:tell how two checkpoints differ, and by how much'
        'inspect:list the tensors and values of a checkpoint'
        'check:look for what is missing, damaged or does not fit together'
        'scan:list what the pickles of a file would have run'
        'batch:do one command to many inputs, resumable and in parallel'
        'help:explain a command or a topic'
    )
    _arguments -C "$shared[@]" \
        '(-V --version)-V[print the version]' \
        '(-V --version)--version[print the version]' \
        '(--generate)--generate=[print the man page or shell completions]:KIND:((man\:the\ manual\ page\,\ for\ man\(1\) bash\:completions\ for\ bash zsh\:completions\ for\ zsh fish\:completions\ for\ fish))' \
        '1:command:->command' \
        '*::argument:->argument'
    case $state in
        command)
            _describe command commands
            ;;
        argument)
            case $line[1] in
                pt-to-safetensors)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace outputs that exist]' \
                        '(--sync)--sync[put outputs on the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them first]' \
                        '(--manifest)--manifest=[write the SHA-256 of all of INPUT to FILE]:FILE:_files' \
                        '(--train)--train[convert train.pt too]' \
                        '(--layout)--layout=[name tensors for olmo, or plain]:LAYOUT:((plain\:names\ are\ paths\ joined\ with\ dots olmo\:what\ the\ OLMo\ trainer\ loads))' \
                        '(--max-shard-size)--max-shard-size=[split the output into files of at most SIZE]:SIZE: ' \
                        '(--tied)--tied=[store tied tensors as an alias, or copy them]:HOW:((alias\:store\ the\ bytes\ once\;\ the\ metadata\ names\ the\ others copy\:store\ the\ bytes\ under\ every\ name))' \
                        '(--optimizer-names)--optimizer-names=[key the optimizer'\''s state for fsdp or single]:KIND:((fsdp\:by\ name\,\ for\ trainers\ under\ fully\ sharded\ data\ parallelism single\:by\ number\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--no-skeleton)--no-skeleton[leave out what is not a tensor]' \
                        '(--allow-loss)--allow-loss[warn of what cannot be carried, go on]' \
                        '(--drop-unsafe)--drop-unsafe[replace what can run code by None]' \
                        '*:INPUT...:_files'
                    ;;
                safetensors-to-pt)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace outputs that exist]' \
                        '(--sync)--sync[put outputs on the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them first]' \
                        '(--manifest)--manifest=[write the SHA-256 of all of INPUT to FILE]:FILE:_files' \
                        '(--nest)--nest[make nested dicts of names with dots]' \
                        '(--optimizer-names)--optimizer-names=[key the optimizer'\''s state for fsdp or single]:KIND:((fsdp\:by\ name\,\ for\ trainers\ under\ fully\ sharded\ data\ parallelism single\:by\ number\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--ignore-skeleton)--ignore-skeleton[take the tensors as if there were no skeleton]' \
                        '(--no-metadata)--no-metadata[leave out the metadata of a file without skeleton]' \
                        '(--drop-unsafe)--drop-unsafe[replace what can run code by None]' \
                        '*:INPUT...:_files'
                    ;;
                olmo-to-hf)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to this new directory]:DIR:_files' \
                        '(-o --output)--output=[write to this new directory]:DIR:_files' \
                        '(--force)--force[replace files in a directory that exists]' \
                        '(--sync)--sync[put outputs on the disk before they appear]' \
                        '(--drop-unsafe)--drop-unsafe[replace what can run code by None]' \
                        '(--max-shard-size)--max-shard-size=[weights per file at most; default 5GB]:SIZE: ' \
                        '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--optimizer)--optimizer[take the optimizer'\''s state along]' \
                        '(--tokenizer)--tokenizer=[take the tokenizer from a directory or file]:PATH:_files' \
                        '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                        '(--no-carry)--no-carry[leave out what only OLMo knows]' \
                        '1:DIR:_files'
                    ;;
                hf-to-olmo)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to this new directory]:DIR:_files' \
                        '(-o --output)--output=[write to this new directory]:DIR:_files' \
                        '(--force)--force[replace files in a directory that exists]' \
                        '(--sync)--sync[put outputs on the disk before they appear]' \
                        '(--drop-unsafe)--drop-unsafe[replace what can run code by None]' \
                        '(--as)--as=[write pt, or safetensors for the trainer]:FORMAT:((pt\:model\.pt\ and\ optim\.pt\,\ as\ torch\.save\ writes\ them safetensors\:model\.safetensors\ and\ optim\.safetensors\ in\ the\ layout\ olmo))' \
                        '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--config)--config=[take the rest of config.yaml from this one]:YAML:_files' \
                        '(--optimizer-names)--optimizer-names=[key the optimizer'\''s state for fsdp or single]:KIND:((fsdp\:by\ name\,\ for\ trainers\ under\ fully\ sharded\ data\ parallelism single\:by\ number\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--tokenizer)--tokenizer=[take the tokenizer from a directory or file]:PATH:_files' \
                        '1:DIR:_files'
                    ;;
                config)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a directory, a file, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a directory, a file, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace outputs that exist]' \
                        '(--sync)--sync[put outputs on the disk before they appear]' \
                        '(--to)--to=[what to write\: hf or olmo]:SIDE:((hf\:config\.json\ and\ generation\_config\.json olmo\:config\.yaml))' \
                        '(--config)--config=[take what config.json lacks from a config.yaml]:TEMPLATE:_files' \
                        '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                        '(--no-carry)--no-carry[leave out what only OLMo knows]' \
                        '1:INPUT:_files'
                    ;;
                verify)
                    _arguments "$shared[@]" \
                        '(--manifest)--manifest=[write the SHA-256 of all of A to FILE]:FILE:_files' \
                        '(--force)--force[replace a manifest that exists]' \
                        '(--against)--against=[compare A with a manifest]:FILE:_files' \
                        '*:A [B]:_files'
                    ;;
                roundtrip)
                    _arguments "$shared[@]" \
                        '(--layout)--layout=[by way of layout olmo, or plain]:LAYOUT:((plain\:names\ are\ paths\ joined\ with\ dots olmo\:what\ the\ OLMo\ trainer\ loads))' \
                        '*:INPUT...:_files'
                    ;;
                diff)
                    _arguments "$shared[@]" \
                        '(--limit)--limit=[list the first N of each kind only]:N: ' \
                        '(--tolerance)--tolerance=[ignore absolute differences up to X]:X: ' \
                        '(--relative-tolerance)--relative-tolerance=[ignore relative differences up to X]:X: ' \
                        '*:A B:_files'
                    ;;
                inspect)
                    _arguments "$shared[@]" \
                        '(--sort)--sort=[order tensors by file, name or size]:ORDER:((file\:as\ the\ file\ has\ them name\:by\ name size\:the\ largest\ first))' \
                        '(--limit)--limit=[list the first N tensors and values only]:N: ' \
                        '(--drop-unsafe)--drop-unsafe[show None for what can run code]' \
                        '*:INPUT...:_files'
                    ;;
                check)
                    _arguments "$shared[@]" \
                        '(--finite)--finite[search all numbers for NaN and infinity]' \
                        '(--for)--for=[say whether a program would load it\: olmo, hf, torch]:PROGRAM:((olmo\:the\ trainer\ of\ OLMo\,\ to\ resume\ from\ the\ directory hf\:from\_pretrained\ of\ transformers torch\:torch\.load\ with\ weights\_only\=True\,\ its\ default\ since\ PyTorch\ 2\.6))' \
                        '*:INPUT...:_files'
                    ;;
                scan)
                    _arguments "$shared[@]" \
                        '*:INPUT...:_files'
                    ;;
                batch)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write below the directory ROOT]:ROOT:_files' \
                        '(-o --output)--output=[write below the directory ROOT]:ROOT:_files' \
                        '(--force)--force[replace outputs that exist]' \
                        '(--from)--from=[take inputs from a list or a CSV of OLMo'\''s steps]:LIST:_files' \
                        '(--files)--files[take single files in directories too]' \
                        '(--dry-run)--dry-run[print the plan and do nothing]' \
                        '(-j --jobs)-j+[do N items at once]:N: ' \
                        '(-j --jobs)--jobs=[do N items at once]:N: ' \
                        '(--resume)--resume[skip what an earlier run has done, go on]' \
                        '(--checksum)--checksum[know inputs by SHA-256 and not by time]' \
                        '(-k --keep-going)-k[go on after an item has failed]' \
                        '(-k --keep-going)--keep-going[go on after an item has failed]' \
                        '(--retries)--retries=[try again where the system failed]:N: ' \
                        '(--delete-source)--delete-source[delete inputs once verified, needs --verify]' \
                        '(--shard)--shard=[do part I of N; in a Slurm array by itself]:I/N: ' \
                        '(--merge-reports)--merge-reports[give one verdict on all parts, do nothing]' \
                        '(--report)--report=[write a report to FILE, as JSON lines]:FILE:_files' \
                        '(--sync)--sync[put outputs on the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them first]' \
                        '(--train)--train[convert train.pt too]' \
                        '(--layout)--layout=[name tensors for olmo, or plain]:LAYOUT:((plain\:names\ are\ paths\ joined\ with\ dots olmo\:what\ the\ OLMo\ trainer\ loads))' \
                        '(--max-shard-size)--max-shard-size=[split the output into files of at most SIZE]:SIZE: ' \
                        '(--tied)--tied=[store tied tensors as an alias, or copy them]:HOW:((alias\:store\ the\ bytes\ once\;\ the\ metadata\ names\ the\ others copy\:store\ the\ bytes\ under\ every\ name))' \
                        '(--optimizer-names)--optimizer-names=[key the optimizer'\''s state for fsdp or single]:KIND:((fsdp\:by\ name\,\ for\ trainers\ under\ fully\ sharded\ data\ parallelism single\:by\ number\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--no-skeleton)--no-skeleton[leave out what is not a tensor]' \
                        '(--allow-loss)--allow-loss[warn of what cannot be carried, go on]' \
                        '(--drop-unsafe)--drop-unsafe[replace what can run code by None]' \
                        '(--nest)--nest[make nested dicts of names with dots]' \
                        '(--ignore-skeleton)--ignore-skeleton[take the tensors as if there were no skeleton]' \
                        '(--no-metadata)--no-metadata[leave out the metadata of a file without skeleton]' \
                        '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--optimizer)--optimizer[take the optimizer'\''s state along]' \
                        '(--tokenizer)--tokenizer=[take the tokenizer from a directory or file]:PATH:_files' \
                        '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                        '(--no-carry)--no-carry[leave out what only OLMo knows]' \
                        '(--as)--as=[write pt, or safetensors for the trainer]:FORMAT:((pt\:model\.pt\ and\ optim\.pt\,\ as\ torch\.save\ writes\ them safetensors\:model\.safetensors\ and\ optim\.safetensors\ in\ the\ layout\ olmo))' \
                        '(--config)--config=[take the rest of config.yaml from this one]:YAML:_files' \
                        '(--to)--to=[what to write\: hf or olmo]:SIDE:((hf\:config\.json\ and\ generation\_config\.json olmo\:config\.yaml))' \
                        '(--finite)--finite[search all numbers for NaN and infinity]' \
                        '(--for)--for=[say whether a program would load it\: olmo, hf, torch]:PROGRAM:((olmo\:the\ trainer\ of\ OLMo\,\ to\ resume\ from\ the\ directory hf\:from\_pretrained\ of\ transformers torch\:torch\.load\ with\ weights\_only\=True\,\ its\ default\ since\ PyTorch\ 2\.6))' \
                        '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo config verify roundtrip check)' '*:VERB INPUT... -o ROOT:_files'
                    ;;
                help)
                    _arguments "$shared[@]" \
                        '*:[COMMAND|TOPIC]:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo config verify roundtrip diff inspect check scan batch help safety layouts skeleton exit-codes environment)'
                    ;;
            esac
            ;;
    esac
}

if [[ $funcstack[1] == _ckptconv ]]; then
    _ckptconv "$@"
else
    compdef _ckptconv ckptconv
fi
