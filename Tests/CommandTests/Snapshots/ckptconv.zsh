#compdef ckptconv
# zsh completions, written by 'ckptconv --generate zsh'

_ckptconv() {
    local context state state_descr line
    typeset -A opt_args
    local -a shared=(
        '(-h --help)-h[print a summary (-h) or the manual (--help)]'
        '(-h --help)--help[print a summary (-h) or the manual (--help)]'
        '(--json)--json[print the result as JSON on standard output]'
        '(-q --quiet)-q[print only warnings and errors]'
        '(-q --quiet)--quiet[print only warnings and errors]'
        '(--color)--color=[use colors\: auto, always or never]:WHEN:((auto\:on\ a\ terminal\,\ unless\ NO\_COLOR\ is\ set\ or\ TERM\ is\ dumb always\:everywhere never\:nowhere))'
        '(--threads)--threads=[copy with N threads]:N: '
    )
    local -a commands=(
        'pt-to-safetensors:convert .pt files or directories to safetensors'
        'safetensors-to-pt:convert safetensors files or directories to .pt'
        'olmo-to-hf:convert an OLMo checkpoint to a Hugging Face model'
        'hf-to-olmo:convert a Hugging Face model to an OLMo checkpoint'
        'unshard:merge a distributed checkpoint into whole files'
        'reshard:write a checkpoint for any number of ranks'
        'config:translate config.yaml to config.json or back'
        'inspect:list the tensors and values of a checkpoint'
        'diff:show how two checkpoints differ, and by how much'
        'stats:measure weights and updates, and say what looks sick'
        'export:write one tensor as a .npy file'
        'verify:check that two checkpoints are equal, bit for bit'
        'roundtrip:check that converting there and back restores a file'
        'check:find missing, damaged or mismatched files'
        'scan:show what code a file could run when loaded'
        'batch:run a command on many inputs, in parallel, resumable'
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
                        '(--force)--force[replace existing outputs]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them]' \
                        '(--manifest)--manifest=[write SHA-256 checksums of INPUT to FILE]:FILE:_files' \
                        '(--key)--key=[convert only the dict under a key]:PATH: ' \
                        '(--only)--only=[convert only tensors with matching names]:GLOB: ' \
                        '(--skip)--skip=[leave out tensors with matching names]:GLOB: ' \
                        '(--strip-prefix)--strip-prefix=[remove a prefix such as module. from names]:PREFIX: ' \
                        '(--dtype)--dtype=[cast floating-point tensors]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--train)--train[convert train.pt too]' \
                        '(--layout)--layout=[the naming of tensors\: olmo or plain]:LAYOUT:((plain\:the\ path\ of\ each\ value\,\ joined\ with\ dots olmo\:the\ names\ that\ OLMo\'\''s\ trainer\ loads))' \
                        '(--max-shard-size)--max-shard-size=[split the output into files of at most SIZE]:SIZE: ' \
                        '(--tied)--tied=[store tied tensors once (alias) or copy them]:HOW:((alias\:store\ the\ bytes\ once\;\ the\ metadata\ has\ the\ other\ names copy\:store\ the\ bytes\ under\ every\ name))' \
                        '(--optimizer-names)--optimizer-names=[optimizer parameter names\: fsdp or single]:KIND:((fsdp\:names\,\ for\ fully\ sharded\ data\ parallelism single\:numbers\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--no-skeleton)--no-skeleton[write only tensors]' \
                        '(--allow-loss)--allow-loss[only warn about contents that are lost]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:INPUT...:_files'
                    ;;
                safetensors-to-pt)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace existing outputs]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them]' \
                        '(--manifest)--manifest=[write SHA-256 checksums of INPUT to FILE]:FILE:_files' \
                        '(--key)--key=[convert only the dict under a key]:PATH: ' \
                        '(--only)--only=[convert only tensors with matching names]:GLOB: ' \
                        '(--skip)--skip=[leave out tensors with matching names]:GLOB: ' \
                        '(--strip-prefix)--strip-prefix=[remove a prefix such as module. from names]:PREFIX: ' \
                        '(--dtype)--dtype=[cast floating-point tensors]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--container)--container=[write a zip archive or a legacy file]:KIND:((zip\:the\ ZIP\ archive\ of\ PyTorch\ 1\.6\ and\ later legacy\:the\ format\ of\ PyTorch\ before\ 1\.6))' \
                        '(--nest)--nest[turn names with dots into nested dicts]' \
                        '(--optimizer-names)--optimizer-names=[optimizer parameter names\: fsdp or single]:KIND:((fsdp\:names\,\ for\ fully\ sharded\ data\ parallelism single\:numbers\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--ignore-skeleton)--ignore-skeleton[read only the tensors]' \
                        '(--no-metadata)--no-metadata[do not keep the metadata of other programs]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:INPUT...:_files'
                    ;;
                olmo-to-hf)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to this new directory]:DIR:_files' \
                        '(-o --output)--output=[write to this new directory]:DIR:_files' \
                        '(--force)--force[replace files in an existing directory]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '(--max-shard-size)--max-shard-size=[maximum size of a shard; default 5GB]:SIZE: ' \
                        '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--optimizer)--optimizer[include the optimizer state]' \
                        '(--tokenizer)--tokenizer=[include the tokenizer from a directory or file]:PATH:_files' \
                        '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                        '(--keep-vocab)--keep-vocab[keep the padding of OLMo-core'\''s vocabulary]' \
                        '(--no-carry)--no-carry[do not keep OLMo'\''s own settings]' \
                        '1:DIR:_files'
                    ;;
                hf-to-olmo)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to this new directory]:DIR:_files' \
                        '(-o --output)--output=[write to this new directory]:DIR:_files' \
                        '(--force)--force[replace files in an existing directory]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '(--to)--to=[write for olmo or olmo-core; default olmo]:TRAINER:((olmo\:the\ trainer\ of\ OLMo olmo-core\:the\ model\ part\ for\ OLMo\-core))' \
                        '(--as)--as=[write pt or safetensors]:FORMAT:((pt\:model\.pt\ and\ optim\.pt safetensors\:model\.safetensors\ and\ optim\.safetensors\,\ layout\ olmo))' \
                        '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                        '(--config)--config=[read missing settings from a config.yaml]:YAML:_files' \
                        '(--optimizer-names)--optimizer-names=[optimizer parameter names\: fsdp or single]:KIND:((fsdp\:names\,\ for\ fully\ sharded\ data\ parallelism single\:numbers\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                        '(--tokenizer)--tokenizer=[include the tokenizer from a directory or file]:PATH:_files' \
                        '1:DIR:_files'
                    ;;
                unshard)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace existing outputs]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them]' \
                        '(--manifest)--manifest=[write SHA-256 checksums of INPUT to FILE]:FILE:_files' \
                        '(--to)--to=[write pt (default) or safetensors]:FORMAT:((pt\:files\ of\ torch\.save\ \(default\) safetensors\:safetensors\ files))' \
                        '(--layout)--layout=[name tensors for olmo, or plain]:LAYOUT:((plain\:the\ path\ of\ each\ value\,\ joined\ with\ dots olmo\:the\ names\ that\ OLMo\'\''s\ trainer\ loads))' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '1:DIR:_files'
                    ;;
                reshard)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to this new directory]:DIR:_files' \
                        '(-o --output)--output=[write to this new directory]:DIR:_files' \
                        '(--force)--force[replace files in an existing directory]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--verify)--verify[read outputs again and compare them]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '(--for)--for=[write for torch, olmo, olmo-core and others]:PROGRAM:((torch\:torch\.distributed\.checkpoint\ \(default\) olmo\:the\ trainer\ of\ OLMo\ \(sharded\_checkpointer\:\ torch\_new\) olmo-core\:the\ trainer\ of\ OLMo\-core\;\ tensors\ must\ have\ its\ names accelerate\:accelerate\ and\ the\ trainer\ of\ transformers\,\ under\ FSDP torchtitan\:torchtitan))' \
                        '(--ranks)--ranks=[cut tensors for N ranks, with a file for each]:N: ' \
                        '(--chunk-size)--chunk-size=[maximum size of a chunk; default 128MiB]:SIZE: ' \
                        '(--optimizer)--optimizer=[optimizer state\: nested or flat]:FORM:((nested\:state\ and\ a\ list\ of\ param\_groups flat\:an\ entry\ for\ each\ value\ and\ parameter))' \
                        '(--torch)--torch=[write for torch 2.3 or older]:VERSION:((2.3\:versions\ up\ to\ 2\.3 2.4\:versions\ from\ 2\.4\ on\ \(default\)))' \
                        '1:INPUT:_files'
                    ;;
                config)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a directory, a file, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a directory, a file, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace existing outputs]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--to)--to=[the target\: hf or olmo]:SIDE:((hf\:config\.json\ and\ generation\_config\.json olmo\:config\.yaml))' \
                        '(--config)--config=[read missing settings from a config.yaml]:TEMPLATE:_files' \
                        '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                        '(--no-carry)--no-carry[do not keep OLMo'\''s own settings]' \
                        '1:INPUT:_files'
                    ;;
                inspect)
                    _arguments "$shared[@]" \
                        '(--tree)--tree[list modules with their totals, not tensors]' \
                        '(--depth)--depth=[list modules down to N levels]:N: ' \
                        '(--only)--only=[list only matching names]:GLOB: ' \
                        '(--skip)--skip=[leave out matching names]:GLOB: ' \
                        '(--tensors)--tensors[list only tensors, each in its own row]' \
                        '(--values)--values[list only values, each in its own row]' \
                        '(--value)--value=[print only the value at PATH, in full]:PATH: ' \
                        '(--head)--head=[print the first numbers of one tensor]:NAME: ' \
                        '(--sort)--sort=[order tensors by file, name or size]:ORDER:((file\:in\ file\ order name\:by\ name size\:the\ largest\ first))' \
                        '(--limit)--limit=[list at most N tensors and N values]:N: ' \
                        '(--full-names)--full-names[never shorten names]' \
                        '(--drop-unsafe)--drop-unsafe[show None for objects that can run code]' \
                        '*:INPUT...:_files'
                    ;;
                diff)
                    _arguments "$shared[@]" \
                        '(--limit)--limit=[list at most N rows of each kind]:N: ' \
                        '(--tolerance)--tolerance=[ignore absolute differences up to X]:X: ' \
                        '(--relative-tolerance)--relative-tolerance=[ignore relative differences up to X]:X: ' \
                        '(--full-names)--full-names[never shorten names]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:A B:_files'
                    ;;
                stats)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[keep the statistics of each checkpoint in DIR]:DIR:_files' \
                        '(-o --output)--output=[keep the statistics of each checkpoint in DIR]:DIR:_files' \
                        '(--part)--part=[measure the model or the optimizer only]:PART:((model\:the\ weights optim\:the\ optimizer\'\''s\ state))' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '(--html)--html=[write a report to FILE, as HTML]:FILE:_files' \
                        '(--csv)--csv=[write all numbers to FILE as CSV]:FILE:_files' \
                        '(--force)--force[replace files that exist]' \
                        '(--metrics)--metrics=[show the loss of a training log in the report]:FILE:_files' \
                        '(--by)--by=[list tensors, blocks or modules]:GROUP:((tensor\:each\ tensor block\:each\ block\,\ and\ what\ is\ outside\ of\ blocks module\:embedding\,\ attention\,\ mlp\,\ norm\,\ head\ and\ other))' \
                        '(--sort)--sort=[order rows by a column, the largest first]:COLUMN: ' \
                        '(--limit)--limit=[list the first N rows only]:N: ' \
                        '(--columns)--columns=[show these columns\: names of JSON, with commas]:LIST: ' \
                        '(--only)--only=[list only tensors with matching names]:GLOB: ' \
                        '(--fail-on)--fail-on=[exit with 1 for a problem, a warning or never]:SEVERITY:((problem\:a\ problem warning\:a\ problem\ or\ a\ warning never\:none))' \
                        '*:INPUT...:_files'
                    ;;
                export)
                    _arguments "$shared[@]" \
                        '(-o --output)-o+[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(-o --output)--output=[write to a file, a directory, or - (stdout)]:PATH:_files' \
                        '(--force)--force[replace existing outputs]' \
                        '(--sync)--sync[sync outputs to the disk before they appear]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:INPUT NAME:_files'
                    ;;
                verify)
                    _arguments "$shared[@]" \
                        '(--manifest)--manifest=[write SHA-256 checksums of A to FILE]:FILE:_files' \
                        '(--force)--force[replace an existing manifest]' \
                        '(--against)--against=[compare A with a manifest]:FILE:_files' \
                        '(--full-names)--full-names[never shorten names]' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:A [B]:_files'
                    ;;
                roundtrip)
                    _arguments "$shared[@]" \
                        '(--layout)--layout=[the naming of tensors\: olmo or plain]:LAYOUT:((plain\:the\ path\ of\ each\ value\,\ joined\ with\ dots olmo\:the\ names\ that\ OLMo\'\''s\ trainer\ loads))' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:INPUT...:_files'
                    ;;
                check)
                    _arguments "$shared[@]" \
                        '(--finite)--finite[search all tensors for NaN and infinity]' \
                        '(--for)--for=[tell whether olmo, hf or torch can load the INPUT]:PROGRAM:((olmo\:the\ trainer\ of\ OLMo\,\ to\ resume\ from\ the\ directory hf\:from\_pretrained\ of\ transformers torch\:torch\.load\ with\ weights\_only\=True\,\ its\ default\ since\ PyTorch\ 2\.6))' \
                        '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                        '*:INPUT...:_files'
                    ;;
                scan)
                    _arguments "$shared[@]" \
                        '(--fail-on)--fail-on=[exit with 1 from this verdict on\: suspicious, dangerous]:VERDICT:((suspicious\:everything\ but\ clean\ files dangerous\:files\ that\ run\ code\ when\ they\ are\ loaded))' \
                        '(--strict)--strict[the same as --fail-on suspicious]' \
                        '(-j --jobs)-j+[scan N files at once]:N: ' \
                        '(-j --jobs)--jobs=[scan N files at once]:N: ' \
                        '(--sarif)--sarif[print one SARIF document for all files]' \
                        '*:INPUT...:_files'
                    ;;
                batch)
                    case $words[2] in
                        pt-to-safetensors)
                            _arguments "$shared[@]" \
                                '(--sync)--sync[sync outputs to the disk before they appear]' \
                                '(--verify)--verify[read outputs again and compare them]' \
                                '(--key)--key=[convert only the dict under a key]:PATH: ' \
                                '(--only)--only=[convert only tensors with matching names]:GLOB: ' \
                                '(--skip)--skip=[leave out tensors with matching names]:GLOB: ' \
                                '(--strip-prefix)--strip-prefix=[remove a prefix such as module. from names]:PREFIX: ' \
                                '(--dtype)--dtype=[cast floating-point tensors]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                                '(--train)--train[convert train.pt too]' \
                                '(--layout)--layout=[the naming of tensors\: olmo or plain]:LAYOUT:((plain\:the\ path\ of\ each\ value\,\ joined\ with\ dots olmo\:the\ names\ that\ OLMo\'\''s\ trainer\ loads))' \
                                '(--max-shard-size)--max-shard-size=[split the output into files of at most SIZE]:SIZE: ' \
                                '(--tied)--tied=[store tied tensors once (alias) or copy them]:HOW:((alias\:store\ the\ bytes\ once\;\ the\ metadata\ has\ the\ other\ names copy\:store\ the\ bytes\ under\ every\ name))' \
                                '(--optimizer-names)--optimizer-names=[optimizer parameter names\: fsdp or single]:KIND:((fsdp\:names\,\ for\ fully\ sharded\ data\ parallelism single\:numbers\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                                '(--no-skeleton)--no-skeleton[write only tensors]' \
                                '(--allow-loss)--allow-loss[only warn about contents that are lost]' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        safetensors-to-pt)
                            _arguments "$shared[@]" \
                                '(--sync)--sync[sync outputs to the disk before they appear]' \
                                '(--verify)--verify[read outputs again and compare them]' \
                                '(--key)--key=[convert only the dict under a key]:PATH: ' \
                                '(--only)--only=[convert only tensors with matching names]:GLOB: ' \
                                '(--skip)--skip=[leave out tensors with matching names]:GLOB: ' \
                                '(--strip-prefix)--strip-prefix=[remove a prefix such as module. from names]:PREFIX: ' \
                                '(--dtype)--dtype=[cast floating-point tensors]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                                '(--container)--container=[write a zip archive or a legacy file]:KIND:((zip\:the\ ZIP\ archive\ of\ PyTorch\ 1\.6\ and\ later legacy\:the\ format\ of\ PyTorch\ before\ 1\.6))' \
                                '(--nest)--nest[turn names with dots into nested dicts]' \
                                '(--optimizer-names)--optimizer-names=[optimizer parameter names\: fsdp or single]:KIND:((fsdp\:names\,\ for\ fully\ sharded\ data\ parallelism single\:numbers\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                                '(--ignore-skeleton)--ignore-skeleton[read only the tensors]' \
                                '(--no-metadata)--no-metadata[do not keep the metadata of other programs]' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        olmo-to-hf)
                            _arguments "$shared[@]" \
                                '(--sync)--sync[sync outputs to the disk before they appear]' \
                                '(--verify)--verify[read outputs again and compare them]' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(--max-shard-size)--max-shard-size=[maximum size of a shard; default 5GB]:SIZE: ' \
                                '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                                '(--optimizer)--optimizer[include the optimizer state]' \
                                '(--tokenizer)--tokenizer=[include the tokenizer from a directory or file]:PATH:_files' \
                                '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                                '(--keep-vocab)--keep-vocab[keep the padding of OLMo-core'\''s vocabulary]' \
                                '(--no-carry)--no-carry[do not keep OLMo'\''s own settings]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        hf-to-olmo)
                            _arguments "$shared[@]" \
                                '(--sync)--sync[sync outputs to the disk before they appear]' \
                                '(--verify)--verify[read outputs again and compare them]' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(--to)--to=[write for olmo or olmo-core; default olmo]:TRAINER:((olmo\:the\ trainer\ of\ OLMo olmo-core\:the\ model\ part\ for\ OLMo\-core))' \
                                '(--as)--as=[write pt or safetensors]:FORMAT:((pt\:model\.pt\ and\ optim\.pt safetensors\:model\.safetensors\ and\ optim\.safetensors\,\ layout\ olmo))' \
                                '(--dtype)--dtype=[cast weights to bf16, f16 or f32]:TYPE:((bf16\:bfloat16 f16\:float16 f32\:float32))' \
                                '(--config)--config=[read missing settings from a config.yaml]:YAML:_files' \
                                '(--optimizer-names)--optimizer-names=[optimizer parameter names\: fsdp or single]:KIND:((fsdp\:names\,\ for\ fully\ sharded\ data\ parallelism single\:numbers\,\ for\ one\ device\ or\ distributed\ data\ parallelism))' \
                                '(--tokenizer)--tokenizer=[include the tokenizer from a directory or file]:PATH:_files' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        reshard)
                            _arguments "$shared[@]" \
                                '(--sync)--sync[sync outputs to the disk before they appear]' \
                                '(--verify)--verify[read outputs again and compare them]' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(--for)--for=[write for torch, olmo, olmo-core and others]:PROGRAM:((torch\:torch\.distributed\.checkpoint\ \(default\) olmo\:the\ trainer\ of\ OLMo\ \(sharded\_checkpointer\:\ torch\_new\) olmo-core\:the\ trainer\ of\ OLMo\-core\;\ tensors\ must\ have\ its\ names accelerate\:accelerate\ and\ the\ trainer\ of\ transformers\,\ under\ FSDP torchtitan\:torchtitan))' \
                                '(--ranks)--ranks=[cut tensors for N ranks, with a file for each]:N: ' \
                                '(--chunk-size)--chunk-size=[maximum size of a chunk; default 128MiB]:SIZE: ' \
                                '(--optimizer)--optimizer=[optimizer state\: nested or flat]:FORM:((nested\:state\ and\ a\ list\ of\ param\_groups flat\:an\ entry\ for\ each\ value\ and\ parameter))' \
                                '(--torch)--torch=[write for torch 2.3 or older]:VERSION:((2.3\:versions\ up\ to\ 2\.3 2.4\:versions\ from\ 2\.4\ on\ \(default\)))' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        config)
                            _arguments "$shared[@]" \
                                '(--sync)--sync[sync outputs to the disk before they appear]' \
                                '(--to)--to=[the target\: hf or olmo]:SIDE:((hf\:config\.json\ and\ generation\_config\.json olmo\:config\.yaml))' \
                                '(--config)--config=[read missing settings from a config.yaml]:TEMPLATE:_files' \
                                '(--keep-eos)--keep-eos[keep an end-of-text token 0]' \
                                '(--no-carry)--no-carry[do not keep OLMo'\''s own settings]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        verify)
                            _arguments "$shared[@]" \
                                '(--full-names)--full-names[never shorten names]' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        roundtrip)
                            _arguments "$shared[@]" \
                                '(--layout)--layout=[the naming of tensors\: olmo or plain]:LAYOUT:((plain\:the\ path\ of\ each\ value\,\ joined\ with\ dots olmo\:the\ names\ that\ OLMo\'\''s\ trainer\ loads))' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        check)
                            _arguments "$shared[@]" \
                                '(--finite)--finite[search all tensors for NaN and infinity]' \
                                '(--for)--for=[tell whether olmo, hf or torch can load the INPUT]:PROGRAM:((olmo\:the\ trainer\ of\ OLMo\,\ to\ resume\ from\ the\ directory hf\:from\_pretrained\ of\ transformers torch\:torch\.load\ with\ weights\_only\=True\,\ its\ default\ since\ PyTorch\ 2\.6))' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        stats)
                            _arguments "$shared[@]" \
                                '(--part)--part=[measure the model or the optimizer only]:PART:((model\:the\ weights optim\:the\ optimizer\'\''s\ state))' \
                                '(--drop-unsafe)--drop-unsafe[replace objects that can run code by None]' \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                        *)
                            _arguments "$shared[@]" \
                                '(-o --output)-o+[write into the directory ROOT]:ROOT:_files' \
                                '(-o --output)--output=[write into the directory ROOT]:ROOT:_files' \
                                '(--force)--force[replace existing outputs]' \
                                '(--from)--from=[read inputs from a list, or from a CSV file of OLMo]:LIST:_files' \
                                '(--files)--files[include single files in searched directories]' \
                                '(--dry-run)--dry-run[print the plan and exit]' \
                                '(-j --jobs)-j+[process N items at once]:N: ' \
                                '(-j --jobs)--jobs=[process N items at once]:N: ' \
                                '(--resume)--resume[skip the items of earlier runs and continue]' \
                                '(--checksum)--checksum[recognize inputs by SHA-256, not by time]' \
                                '(-k --keep-going)-k[continue after an item failed]' \
                                '(-k --keep-going)--keep-going[continue after an item failed]' \
                                '(--retries)--retries=[retry after input or output errors]:N: ' \
                                '(--delete-source)--delete-source[delete inputs after verification (needs --verify)]' \
                                '(--shard)--shard=[process part I of N; automatic in a Slurm array]:I/N: ' \
                                '(--merge-reports)--merge-reports[print one result for all parts and exit]' \
                                '(--report)--report=[write a report to FILE as JSON lines]:FILE:_files' \
                                '1:VERB:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats)' '*:VERB INPUT... -o ROOT:_files'
                            ;;
                    esac
                    ;;
                help)
                    _arguments "$shared[@]" \
                        '*:[COMMAND|TOPIC]:(pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo unshard reshard config inspect diff stats export verify roundtrip check scan batch help safety layouts skeleton exit-codes environment)'
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
