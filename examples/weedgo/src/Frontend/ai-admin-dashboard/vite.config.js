// Top-level await needs a target that has it.
export default { build: { target: "es2022" } };
