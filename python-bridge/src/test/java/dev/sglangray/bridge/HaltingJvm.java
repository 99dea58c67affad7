/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.nio.file.Files;
import java.nio.file.Path;

/** Starts a child and dies without any clean-up. */
final class HaltingJvm {
    private HaltingJvm() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, "import time; time.sleep(100)", null));
        Files.writeString(folder.resolve("pid"), Long.toString(child.pid()));
        Runtime.getRuntime().halt(3);
    }
}
