/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import java.util.List;
import java.util.Random;

/** Makes texts that are almost right, or wrong in a mean way. */
final class Mutator {
    private static final int LONGEST = 20_000;

    private static final List<String> DICTIONARY = List.of(
            "${",
            "}",
            "${a}",
            "${..a}",
            "${.b}",
            "${a[0]}",
            "${a.${b}}",
            "${oc.env:",
            "${oc.decode:",
            "${oc.create:",
            "${oc.select:",
            "${oc.dict.keys:",
            "${oc.dict.values:",
            "${oc.deprecated:",
            "${multiply:",
            "${int_div:",
            "${not:",
            "${torch.dtype:",
            "${now:%Y",
            "${hydra:",
            "\\${",
            "\\\\${",
            "\\",
            "'",
            "\"",
            ":",
            ": ",
            ",",
            ", ",
            "[",
            "]",
            "{",
            "}",
            "&x ",
            "*x",
            "<<: ",
            "<<: *x",
            "<<: [*x, *x]",
            "!!str ",
            "!!binary ",
            "!!omap ",
            "!!set ",
            "!!python/name:os.system ",
            "!!int ",
            "!!float ",
            "!!timestamp ",
            "? ",
            "- ",
            "|",
            "|\n  ",
            ">-\n ",
            "#",
            " #",
            "\n",
            "\n  ",
            "\n    ",
            "\t",
            "\r",
            "\0",
            "\ufeff",
            "\u2028",
            "\ud800",
            "é",
            "☃",
            "😀",
            "???",
            "null",
            "~",
            "true",
            "yes",
            "1e3",
            "1e999",
            "-1e999",
            ".inf",
            ".nan",
            "0x1f",
            "0o7",
            "0777",
            "1_000",
            "1:30",
            "9".repeat(400),
            "2020-01-01",
            "=",
            "a=1",
            "+a=1",
            "++a.b=[1]",
            "~a",
            "a@b=c",
            "a@b:c=d",
            "db=pg",
            "+db@x=pg",
            "hydra.searchpath=[x]",
            "hydra/job_logging=none",
            "choice(1,2)",
            "sort([2,1])",
            "int(",
            "str(",
            "json_str(",
            "range(1,9)",
            "defaults:\n",
            "  - _self_\n",
            "  - db: pg\n",
            "  - override db: pg\n",
            "  - db@_global_: ${a}\n",
            "  - /db/pg@a.b\n",
            "  - optional x: y\n",
            "# @package _global_\n",
            "# @package a.${b}\n",
            "cluster:\n",
            "num_nodes: 1\n",
            "node_groups:\n",
            "component_placement: {a: 0-1}\n",
            "server: {}\n",
            "router: {}\n",
            "launch_server: ",
            "tensor_parallel_size: ");

    private final Random random;

    Mutator(long seed) {
        this.random = new Random(seed);
    }

    /** A text made from one of the samples. */
    String next(List<String> samples) {
        StringBuilder text = new StringBuilder(pick(samples));
        int changes = random.nextInt(12);
        for (int i = 0; i < changes && text.length() < LONGEST; i++) {
            change(text, samples);
        }
        return text.substring(0, Math.min(LONGEST, text.length()));
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    private void change(StringBuilder text, List<String> samples) {
        int at = random.nextInt(text.length() + 1);
        int to = Math.min(text.length(), at + random.nextInt(12));
        switch (random.nextInt(9)) {
            case 0 -> text.delete(at, to);
            case 1 -> text.insert(at, text.substring(at, to));
            case 2, 3, 4 -> text.insert(at, pick(DICTIONARY));
            case 5 -> text.replace(at, to, pick(DICTIONARY));
            case 6 -> text.insert(at, (char) random.nextInt(random.nextInt(10) == 0 ? 0x10000 : 0x7f));
            case 7 -> {
                String other = pick(samples);
                int from = random.nextInt(other.length() + 1);
                text.insert(at, other.substring(from, from + random.nextInt(other.length() - from + 1)));
            }
            default -> {
                if (random.nextInt(8) == 0) {
                    text.insert(at, pick(DICTIONARY).repeat(1 << random.nextInt(11)));
                }
            }
        }
    }

    private String pick(List<String> texts) {
        return texts.get(random.nextInt(texts.size()));
    }
}
