/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows of {@code docs/architecture.md}, and the rules that cross modules. */
class ArchitectureTest {
    private static JavaClasses classes;

    @BeforeAll
    static void importClasses() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.sglangray");
    }

    @Test
    void everyModuleIsSeen() {
        for (String module : new String[] {"config", "placement", "bridge", "client", "workers", "app"}) {
            assertThat(classes.that(resideInAPackage("dev.sglangray." + module + "..")))
                    .as("classes of %s", module)
                    .isNotEmpty();
        }
    }

    @Test
    void modulesUseOnlyWhatTheDesignAllows() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("dev.sglangray..")
                .layer("config")
                .definedBy("dev.sglangray.config..")
                .layer("placement")
                .definedBy("dev.sglangray.placement..")
                .layer("bridge")
                .definedBy("dev.sglangray.bridge..")
                .layer("client")
                .definedBy("dev.sglangray.client..")
                .layer("workers")
                .definedBy("dev.sglangray.workers..")
                .layer("app")
                .definedBy("dev.sglangray.app..")
                .whereLayer("app")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("workers")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("client")
                .mayOnlyBeAccessedByLayers("workers", "app")
                .whereLayer("bridge")
                .mayOnlyBeAccessedByLayers("workers", "app")
                .whereLayer("placement")
                .mayOnlyBeAccessedByLayers("workers", "app")
                .whereLayer("config")
                .mayOnlyBeAccessedByLayers("placement", "workers", "app")
                .check(classes);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.sglangray.(**)").should().beFreeOfCycles().check(classes);
    }

    @Test
    void onlyTheAdapterTheWorkersAndTheAppKnowRay() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.sglangray.config..",
                        "dev.sglangray.bridge..",
                        "dev.sglangray.client..",
                        "dev.sglangray.placement")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.ray..")
                .check(classes);
    }

    @Test
    void onlyTheSessionKnowsTheRayRuntime() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.sglangray.app..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.ray.runtime..")
                .check(classes);
    }

    @Test
    void nobodyWaitsOnAMonitor() {
        noClasses()
                .should()
                .callMethod(Object.class, "wait")
                .orShould()
                .callMethod(Object.class, "wait", long.class)
                .orShould()
                .callMethod(Object.class, "wait", long.class, int.class)
                .because("a literal port of the original's .wait() compiles and hangs: use WorkerGroupFuture.await()")
                .check(classes);
    }

    @Test
    void onlyTheConsolePrints() {
        noClasses()
                .that()
                .doNotHaveSimpleName("Console")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .check(classes);
    }

    @Test
    void stateIsNotStaticAndMutable() {
        fields().that().areStatic().should().beFinal().allowEmptyShould(false).check(classes.that(alwaysTrue()));
    }
}
