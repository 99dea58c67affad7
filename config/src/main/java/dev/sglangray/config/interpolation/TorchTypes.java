/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.tree.PythonText;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The names of PyTorch's data types. There is no PyTorch here, so a type is given as the text that Python prints. */
final class TorchTypes {
    private static final Set<String> NAMES = Set.of(
            "float",
            "double",
            "half",
            "bfloat16",
            "float16",
            "float32",
            "float64",
            "int",
            "long",
            "short",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "bool",
            "complex32",
            "complex64",
            "complex128",
            "float8_e4m3fn",
            "float8_e5m2",
            "float8_e4m3fnuz",
            "float8_e5m2fnuz",
            "qint8",
            "quint8",
            "qint32");

    private TorchTypes() {}

    static String name(List<@Nullable Object> arguments) {
        BuiltinResolvers.arity("torch.dtype", arguments, 1, 1);
        if (arguments.get(0) instanceof String name && NAMES.contains(name)) {
            return "torch." + canonical(name);
        }
        throw new ResolutionException(
                "'torch.dtype' does not know " + PythonText.repr(arguments.get(0)),
                NearestName.didYouMean(PythonText.str(arguments.get(0)), NAMES));
    }

    private static String canonical(String name) {
        return switch (name) {
            case "float" -> "float32";
            case "double" -> "float64";
            case "half" -> "float16";
            case "int" -> "int32";
            case "long" -> "int64";
            case "short" -> "int16";
            default -> name;
        };
    }
}
