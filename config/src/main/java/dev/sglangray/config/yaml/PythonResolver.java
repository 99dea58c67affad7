/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import java.util.regex.Pattern;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Which plain scalars are booleans, numbers and nulls: YAML 1.1 as PyYAML has it, plus OmegaConf's floats without a
 * point ({@code 1e3}), minus timestamps, which OmegaConf leaves as text.
 */
final class PythonResolver extends Resolver {
    static final Tag VALUE = new Tag("tag:yaml.org,2002:value");

    private static final String NUMBER_STARTS = "-+0123456789.";
    private static final int LONGEST = 1_024;

    private static final Pattern BOOLEAN =
            Pattern.compile("^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$");
    private static final Pattern FLOAT = Pattern.compile("^(?:[-+]?[0-9][0-9_]*\\.[0-9_]*(?:[eE][-+][0-9]+)?"
            + "|\\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
            + "|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\\.[0-9_]*"
            + "|[-+]?\\.(?:inf|Inf|INF)"
            + "|\\.(?:nan|NaN|NAN))$");
    private static final Pattern INTEGER = Pattern.compile("^(?:[-+]?0b[0-1_]+"
            + "|[-+]?0[0-7_]+"
            + "|[-+]?(?:0|[1-9][0-9_]*)"
            + "|[-+]?0x[0-9a-fA-F_]+"
            + "|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$");
    private static final Pattern OMEGACONF_FLOAT =
            Pattern.compile("^(?:[-+]?[0-9]+(?:_[0-9]+)*\\.[0-9_]*(?:[eE][-+]?[0-9]+)?"
                    + "|[-+]?[0-9]+(?:_[0-9]+)*[eE][-+]?[0-9]+"
                    + "|\\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?"
                    + "|[-+]?[0-9]+(?:_[0-9]+)*(?::[0-5]?[0-9])+\\.[0-9_]*)$");
    private static final Pattern NULL = Pattern.compile("^(?:~|null|Null|NULL|)$");

    @Override
    protected void addImplicitResolvers() {
        addImplicitResolver(Tag.BOOL, BOOLEAN, "yYnNtTfFoO", LONGEST);
        addImplicitResolver(Tag.FLOAT, FLOAT, NUMBER_STARTS, LONGEST);
        addImplicitResolver(Tag.INT, INTEGER, "-+0123456789", LONGEST);
        addImplicitResolver(Tag.MERGE, Pattern.compile("^<<$"), "<", LONGEST);
        addImplicitResolver(Tag.NULL, NULL, "~nN\0", LONGEST);
        addImplicitResolver(Tag.NULL, Pattern.compile("^$"), null, LONGEST);
        addImplicitResolver(VALUE, Pattern.compile("^=$"), "=", LONGEST);
        addImplicitResolver(Tag.FLOAT, OMEGACONF_FLOAT, NUMBER_STARTS, LONGEST);
    }
}
