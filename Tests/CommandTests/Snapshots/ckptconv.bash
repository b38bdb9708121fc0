# bash completions for ckptconv, written by 'ckptconv --generate bash'

_ckptconv() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' word
    # Readline splits words at '=': '--color=al' arrives as three words.
    if [[ $current == = ]]; then
        current=''
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            pt-to-safetensors | safetensors-to-pt | olmo-to-hf | hf-to-olmo | unshard | reshard | config | inspect | diff | stats | export | verify | roundtrip | check | scan | batch | help) command=$word; break ;;
        esac
    done

    local words=''
    COMPREPLY=()
    case $command:$previous in
        :--generate) words='man bash zsh fish' ;;
        pt-to-safetensors:-o | pt-to-safetensors:--output) words='PATH' ;;
        pt-to-safetensors:--manifest) words='PATH' ;;
        pt-to-safetensors:--key) words='' ;;
        pt-to-safetensors:--only) words='' ;;
        pt-to-safetensors:--skip) words='' ;;
        pt-to-safetensors:--strip-prefix) words='' ;;
        pt-to-safetensors:--dtype) words='bf16 f16 f32' ;;
        pt-to-safetensors:--layout) words='plain olmo' ;;
        pt-to-safetensors:--max-shard-size) words='' ;;
        pt-to-safetensors:--tied) words='alias copy' ;;
        pt-to-safetensors:--optimizer-names) words='fsdp single' ;;
        safetensors-to-pt:-o | safetensors-to-pt:--output) words='PATH' ;;
        safetensors-to-pt:--manifest) words='PATH' ;;
        safetensors-to-pt:--key) words='' ;;
        safetensors-to-pt:--only) words='' ;;
        safetensors-to-pt:--skip) words='' ;;
        safetensors-to-pt:--strip-prefix) words='' ;;
        safetensors-to-pt:--dtype) words='bf16 f16 f32' ;;
        safetensors-to-pt:--container) words='zip legacy' ;;
        safetensors-to-pt:--optimizer-names) words='fsdp single' ;;
        olmo-to-hf:-o | olmo-to-hf:--output) words='PATH' ;;
        olmo-to-hf:--max-shard-size) words='' ;;
        olmo-to-hf:--dtype) words='bf16 f16 f32' ;;
        olmo-to-hf:--tokenizer) words='PATH' ;;
        hf-to-olmo:-o | hf-to-olmo:--output) words='PATH' ;;
        hf-to-olmo:--to) words='olmo olmo-core' ;;
        hf-to-olmo:--as) words='pt safetensors' ;;
        hf-to-olmo:--dtype) words='bf16 f16 f32' ;;
        hf-to-olmo:--config) words='PATH' ;;
        hf-to-olmo:--optimizer-names) words='fsdp single' ;;
        hf-to-olmo:--tokenizer) words='PATH' ;;
        unshard:-o | unshard:--output) words='PATH' ;;
        unshard:--manifest) words='PATH' ;;
        unshard:--to) words='pt safetensors' ;;
        unshard:--layout) words='plain olmo' ;;
        reshard:-o | reshard:--output) words='PATH' ;;
        reshard:--for) words='torch olmo olmo-core accelerate torchtitan' ;;
        reshard:--ranks) words='' ;;
        reshard:--chunk-size) words='' ;;
        reshard:--optimizer) words='nested flat' ;;
        reshard:--torch) words='2.3 2.4' ;;
        config:-o | config:--output) words='PATH' ;;
        config:--to) words='hf olmo' ;;
        config:--config) words='PATH' ;;
        inspect:--depth) words='' ;;
        inspect:--only) words='' ;;
        inspect:--skip) words='' ;;
        inspect:--value) words='' ;;
        inspect:--head) words='' ;;
        inspect:--sort) words='file name size' ;;
        inspect:--limit) words='' ;;
        diff:--limit) words='' ;;
        diff:--tolerance) words='' ;;
        diff:--relative-tolerance) words='' ;;
        stats:-o | stats:--output) words='PATH' ;;
        stats:--part) words='model optim' ;;
        stats:--html) words='PATH' ;;
        stats:--csv) words='PATH' ;;
        stats:--metrics) words='PATH' ;;
        stats:--by) words='tensor block module' ;;
        stats:--sort) words='' ;;
        stats:--limit) words='' ;;
        stats:--columns) words='' ;;
        stats:--only) words='' ;;
        stats:--fail-on) words='problem warning never' ;;
        export:-o | export:--output) words='PATH' ;;
        verify:--manifest) words='PATH' ;;
        verify:--against) words='PATH' ;;
        roundtrip:--layout) words='plain olmo' ;;
        check:--for) words='olmo hf torch' ;;
        scan:--fail-on) words='suspicious dangerous' ;;
        scan:-j | scan:--jobs) words='' ;;
        batch:-o | batch:--output) words='PATH' ;;
        batch:--from) words='PATH' ;;
        batch:-j | batch:--jobs) words='' ;;
        batch:--retries) words='' ;;
        batch:--shard) words='' ;;
        batch:--report) words='PATH' ;;
        batch:--key) words='' ;;
        batch:--only) words='' ;;
        batch:--skip) words='' ;;
        batch:--strip-prefix) words='' ;;
        batch:--dtype) words='bf16 f16 f32' ;;
        batch:--layout) words='plain olmo' ;;
        batch:--max-shard-size) words='' ;;
        batch:--tied) words='alias copy' ;;
        batch:--optimizer-names) words='fsdp single' ;;
        batch:--container) words='zip legacy' ;;
        batch:--tokenizer) words='PATH' ;;
        batch:--to) words='olmo olmo-core' ;;
        batch:--as) words='pt safetensors' ;;
        batch:--config) words='PATH' ;;
        batch:--for) words='torch olmo olmo-core accelerate torchtitan' ;;
        batch:--ranks) words='' ;;
        batch:--chunk-size) words='' ;;
        batch:--torch) words='2.3 2.4' ;;
        batch:--part) words='model optim' ;;
        *:--color) words='auto always never' ;;
        *:--threads) words='' ;;
        *)
            local flags='' operands=''
            case $command in
                '') flags='-V --version --generate -h --help --json -q --quiet --color --threads' operands='pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo unshard reshard config inspect diff stats export verify roundtrip check scan batch help' ;;
                pt-to-safetensors) flags='-o --output --force --sync --verify --manifest --key --only --skip --strip-prefix --dtype --train --layout --max-shard-size --tied --optimizer-names --no-skeleton --allow-loss --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                safetensors-to-pt) flags='-o --output --force --sync --verify --manifest --key --only --skip --strip-prefix --dtype --container --nest --optimizer-names --ignore-skeleton --no-metadata --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                olmo-to-hf) flags='-o --output --force --sync --verify --drop-unsafe --max-shard-size --dtype --optimizer --tokenizer --keep-eos --keep-vocab --no-carry -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                hf-to-olmo) flags='-o --output --force --sync --verify --drop-unsafe --to --as --dtype --config --optimizer-names --tokenizer -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                unshard) flags='-o --output --force --sync --verify --manifest --to --layout --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                reshard) flags='-o --output --force --sync --verify --drop-unsafe --for --ranks --chunk-size --optimizer --torch -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                config) flags='-o --output --force --sync --to --config --keep-eos --no-carry -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                inspect) flags='--tree --depth --only --skip --tensors --values --value --head --sort --limit --full-names --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                diff) flags='--limit --tolerance --relative-tolerance --full-names --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                stats) flags='-o --output --part --drop-unsafe --html --csv --force --metrics --by --sort --limit --columns --only --fail-on -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                export) flags='-o --output --force --sync --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                verify) flags='--manifest --force --against --full-names --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                roundtrip) flags='--layout --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                check) flags='--finite --for --drop-unsafe -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                scan) flags='--fail-on --strict -j --jobs --sarif -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                batch)
                    flags='-o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads'
                    operands='pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify roundtrip check stats'
                    case " ${COMP_WORDS[*]:0:COMP_CWORD} " in
                        *' pt-to-safetensors '*) flags='--sync --verify --key --only --skip --strip-prefix --dtype --train --layout --max-shard-size --tied --optimizer-names --no-skeleton --allow-loss --drop-unsafe -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' safetensors-to-pt '*) flags='--sync --verify --key --only --skip --strip-prefix --dtype --container --nest --optimizer-names --ignore-skeleton --no-metadata --drop-unsafe -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' olmo-to-hf '*) flags='--sync --verify --drop-unsafe --max-shard-size --dtype --optimizer --tokenizer --keep-eos --keep-vocab --no-carry -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' hf-to-olmo '*) flags='--sync --verify --drop-unsafe --to --as --dtype --config --optimizer-names --tokenizer -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' reshard '*) flags='--sync --verify --drop-unsafe --for --ranks --chunk-size --optimizer --torch -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' config '*) flags='--sync --to --config --keep-eos --no-carry -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' verify '*) flags='--full-names --drop-unsafe -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' roundtrip '*) flags='--layout --drop-unsafe -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' check '*) flags='--finite --for --drop-unsafe -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                        *' stats '*) flags='--part --drop-unsafe -o --output --force --from --files --dry-run -j --jobs --resume --checksum -k --keep-going --retries --delete-source --shard --merge-reports --report -h --help --json -q --quiet --color --threads' operands='PATH' ;;
                    esac
                    ;;
                help) flags='-h --help --json -q --quiet --color --threads' operands='pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo unshard reshard config inspect diff stats export verify roundtrip check scan batch help safety layouts skeleton exit-codes environment' ;;
            esac
            words=$operands
            [[ $current == -* ]] && words=$flags
            ;;
    esac
    if [[ $words == PATH ]]; then
        compopt -o default
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    fi
}

complete -F _ckptconv ckptconv
