/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import java.util.Locale;

/** Kinds of engines. */
public enum ServerType {
    /** A language model, SGLang's runtime. */
    SRT,
    /** An action or diffusion model, {@code sglang.multimodal_gen}. */
    EMBODIED;

    /** The name in configurations. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
