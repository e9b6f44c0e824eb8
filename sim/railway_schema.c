#include "railway.h"

/* The part of Railway's schema that the simulator serves. Names and types are Railway's. */
const char *const railway_schema[] = {
    "scalar DateTime scalar JSON scalar DeploymentMeta scalar EnvironmentVariables",
    "type Query {"
    "  apiToken: ApiTokenContext!"
    "  buildLogs(deploymentId: String!, endDate: DateTime, filter: String, limit: Int,"
    "   startDate: DateTime): [Log!]!"
    "  deployment(id: String!): Deployment!"
    "  deploymentLogs(deploymentId: String!, endDate: DateTime, filter: String, limit: Int,"
    "   startDate: DateTime): [Log!]!"
    "  deployments(after: String, before: String, first: Int, input: DeploymentListInput!,"
    "   last: Int): QueryDeploymentsConnection!"
    "  domains(environmentId: String!, projectId: String!, serviceId: String!): AllDomains!"
    "  environment(id: String!, projectId: String): Environment!"
    "  environments(after: String, before: String, first: Int, isEphemeral: Boolean, last: Int,"
    "   projectId: String!): QueryEnvironmentsConnection!"
    "  estimatedUsage(includeDeleted: Boolean, measurements: [MetricMeasurement!]!,"
    "   projectId: String, workspaceId: String): [EstimatedUsage!]!"
    "  me: User!"
    "  project(id: String!): Project!"
    "  projectToken: ProjectToken!"
    "  projects(after: String, before: String, first: Int, includeDeleted: Boolean, last: Int,"
    "   orderBy: ProjectsOrderBy, userId: String, workspaceId: String): QueryProjectsConnection!"
    "  service(id: String!): Service!"
    "  serviceInstance(environmentId: String!, serviceId: String!): ServiceInstance!"
    "  usage(endDate: DateTime, groupBy: [MetricTag!], includeDeleted: Boolean,"
    "   measurements: [MetricMeasurement!]!, projectId: String, startDate: DateTime,"
    "   workspaceId: String): [AggregatedUsage!]!"
    "  variables(environmentId: String!, projectId: String!, serviceId: String,"
    "   unrendered: Boolean): EnvironmentVariables!"
    "  workspace(workspaceId: String!): Workspace!"
    " }",
    "type Mutation {"
    "  deploymentCancel(id: String!): Boolean!"
    "  deploymentRedeploy(id: String!, usePreviousImageTag: Boolean): Deployment!"
    "  deploymentRemove(id: String!): Boolean!"
    "  deploymentRestart(id: String!): Boolean!"
    "  deploymentRollback(id: String!): Boolean!"
    "  deploymentStop(id: String!): Boolean!"
    "  environmentCreate(input: EnvironmentCreateInput!): Environment!"
    "  projectCreate(input: ProjectCreateInput!): Project!"
    "  serviceConnect(id: String!, input: ServiceConnectInput!): Service!"
    "  serviceCreate(input: ServiceCreateInput!): Service!"
    "  serviceDelete(environmentId: String, id: String!): Boolean!"
    "  serviceDomainCreate(input: ServiceDomainCreateInput!): ServiceDomain!"
    "  serviceDomainDelete(id: String!): Boolean!"
    "  serviceInstanceDeploy(commitSha: String, environmentId: String!, latestCommit: Boolean,"
    "   serviceId: String!): Boolean!"
    "  serviceInstanceDeployV2(commitSha: String, environmentId: String!,"
    "   serviceId: String!): String!"
    "  serviceInstanceRedeploy(environmentId: String!, serviceId: String!): Boolean!"
    "  serviceInstanceUpdate(environmentId: String, input: ServiceInstanceUpdateInput!,"
    "   serviceId: String!): Boolean!"
    "  serviceUpdate(id: String!, input: ServiceUpdateInput!): Service!"
    "  variableCollectionUpsert(input: VariableCollectionUpsertInput!): Boolean!"
    "  variableDelete(input: VariableDeleteInput!): Boolean!"
    "  variableUpsert(input: VariableUpsertInput!): Boolean!"
    " }",
    "type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean!"
    "  startCursor: String }",
    "type ApiTokenContext { workspaces: [ApiTokenWorkspace!]! }",
    "type ApiTokenWorkspace { id: String! name: String! }",
    "type User { createdAt: DateTime! email: String! id: ID! name: String username: String"
    "  workspaces: [Workspace!]! }",
    "type Workspace { createdAt: DateTime! customer: Customer! id: ID! name: String! plan: Plan!"
    "  projectCount(includeDeleted: Boolean): Int! updatedAt: DateTime! }",
    "enum Plan { FREE HOBBY PRO }",
    "type Customer { appliedCredits: Float! creditBalance: Float! currentUsage: Float!"
    "  hasExhaustedFreePlan: Boolean! id: ID! isTrialing: Boolean!"
    "  remainingUsageCreditBalance: Float! trialDaysRemaining: Int!"
    "  billingPeriod: BillingPeriod! usageLimit: UsageLimit }",
    "type BillingPeriod { end: DateTime! start: DateTime! }",
    "type UsageLimit { hardLimit: Int isOverLimit: Boolean! softLimit: Int! }",
    "type ProjectToken { createdAt: DateTime! environment: Environment! environmentId: String!"
    "  id: ID! name: String! project: Project! projectId: String! }",
    "type Project { createdAt: DateTime! deletedAt: DateTime description: String"
    "  environments(after: String, before: String, first: Int, isEphemeral: Boolean, last: Int,"
    "   sort: SortOrder): ProjectEnvironmentsConnection!"
    "  id: ID! name: String! primaryEnvironmentId: String"
    "  services(after: String, before: String, first: Int, last: Int): ProjectServicesConnection!"
    "  updatedAt: DateTime! workspaceId: String }",
    "type Environment { createdAt: DateTime! deletedAt: DateTime"
    "  deployments(after: String, before: String, first: Int, last: Int):"
    "   EnvironmentDeploymentsConnection!"
    "  id: ID! isEphemeral: Boolean! name: String! projectId: String!"
    "  serviceInstances(after: String, before: String, first: Int, last: Int):"
    "   EnvironmentServiceInstancesConnection!"
    "  updatedAt: DateTime! }",
    "type Service { createdAt: DateTime! deletedAt: DateTime icon: String id: ID! name: String!"
    "  project: Project! projectId: String!"
    "  serviceInstances(after: String, before: String, first: Int, last: Int):"
    "   ServiceServiceInstancesConnection!"
    "  updatedAt: DateTime! }",
    "type ServiceInstance { activeDeployments: [Deployment!]! buildCommand: String"
    "  builder: Builder! createdAt: DateTime! cronSchedule: String deletedAt: DateTime"
    "  dockerfilePath: String domains: AllDomains! environmentId: String! healthcheckPath: String"
    "  healthcheckTimeout: Int id: ID! isUpdatable: Boolean! latestDeployment: Deployment"
    "  numReplicas: Int railwayConfigFile: String region: String"
    "  restartPolicyMaxRetries: Int! restartPolicyType: RestartPolicyType! rootDirectory: String"
    "  service: Service! serviceId: String! serviceName: String! sleepApplication: Boolean"
    "  source: ServiceSource startCommand: String updatedAt: DateTime! watchPatterns: [String!]! }",
    "type ServiceSource { image: String repo: String }",
    "type AllDomains { customDomains: [CustomDomain!]! serviceDomains: [ServiceDomain!]! }",
    "type CustomDomain { domain: String! id: ID! environmentId: String! serviceId: String! }",
    "type ServiceDomain { createdAt: DateTime deletedAt: DateTime domain: String! edgeId: String"
    "  environmentId: String! id: ID! projectId: String serviceId: String! suffix: String"
    "  syncStatus: ServiceDomainSyncStatus! targetPort: Int updatedAt: DateTime }",
    "enum ServiceDomainSyncStatus { ACTIVE CREATING DELETED DELETING UNSPECIFIED UPDATING }",
    "type Deployment { canRedeploy: Boolean! canRollback: Boolean! createdAt: DateTime!"
    "  deploymentStopped: Boolean! environment: Environment! environmentId: String! id: ID!"
    "  meta: DeploymentMeta projectId: String! service: Service! serviceId: String"
    "  staticUrl: String status: DeploymentStatus! statusUpdatedAt: DateTime"
    "  suggestAddServiceDomain: Boolean! updatedAt: DateTime! url: String }",
    "enum DeploymentStatus { BUILDING CRASHED DEPLOYING FAILED INITIALIZING NEEDS_APPROVAL QUEUED"
    "  REMOVED REMOVING SKIPPED SLEEPING SUCCESS WAITING }",
    "type Log { message: String! severity: String timestamp: String! }",
    "type AggregatedUsage { measurement: MetricMeasurement! tags: MetricTags! value: Float! }",
    "type EstimatedUsage { estimatedValue: Float! measurement: MetricMeasurement!"
    "  projectId: String! }",
    "type MetricTags { deploymentId: String environmentId: String projectId: String region: String"
    "  serviceId: String volumeId: String }",
    "enum MetricMeasurement { BACKUP_USAGE_GB CPU_LIMIT CPU_USAGE CPU_USAGE_2 DISK_USAGE_GB"
    "  EPHEMERAL_DISK_USAGE_GB MEASUREMENT_UNSPECIFIED MEMORY_LIMIT_GB MEMORY_USAGE_GB"
    "  NETWORK_RX_GB NETWORK_TX_GB UNRECOGNIZED }",
    "enum MetricTag { DEPLOYMENT_ID DEPLOYMENT_INSTANCE_ID ENVIRONMENT_ID HOST_TYPE"
    "  KEY_UNSPECIFIED PLUGIN_ID PROJECT_ID REGION SERVICE_ID UNRECOGNIZED VOLUME_ID"
    "  VOLUME_INSTANCE_ID }",
    "enum ProjectsOrderBy { CREATED_AT_DESC NAME_ASC UPDATED_AT_DESC }"
    " enum SortOrder { asc desc }"
    " enum PublicRuntime { LEGACY UNSPECIFIED V2 }",
    "enum Builder { HEROKU NIXPACKS PAKETO RAILPACK }",
    "enum RestartPolicyType { ALWAYS NEVER ON_FAILURE }",
    "type QueryProjectsConnection { edges: [QueryProjectsConnectionEdge!]! pageInfo: PageInfo! }",
    "type QueryProjectsConnectionEdge { cursor: String! node: Project! }",
    "type QueryEnvironmentsConnection { edges: [QueryEnvironmentsConnectionEdge!]!"
    "  pageInfo: PageInfo! }",
    "type QueryEnvironmentsConnectionEdge { cursor: String! node: Environment! }",
    "type QueryDeploymentsConnection { edges: [QueryDeploymentsConnectionEdge!]!"
    "  pageInfo: PageInfo! }",
    "type QueryDeploymentsConnectionEdge { cursor: String! node: Deployment! }",
    "type ProjectEnvironmentsConnection { edges: [ProjectEnvironmentsConnectionEdge!]!"
    "  pageInfo: PageInfo! }",
    "type ProjectEnvironmentsConnectionEdge { cursor: String! node: Environment! }",
    "type ProjectServicesConnection { edges: [ProjectServicesConnectionEdge!]!"
    "  pageInfo: PageInfo! }",
    "type ProjectServicesConnectionEdge { cursor: String! node: Service! }",
    "type EnvironmentDeploymentsConnection { edges: [EnvironmentDeploymentsConnectionEdge!]!"
    "  pageInfo: PageInfo! }",
    "type EnvironmentDeploymentsConnectionEdge { cursor: String! node: Deployment! }",
    "type EnvironmentServiceInstancesConnection {"
    "  edges: [EnvironmentServiceInstancesConnectionEdge!]! pageInfo: PageInfo! }",
    "type EnvironmentServiceInstancesConnectionEdge { cursor: String! node: ServiceInstance! }",
    "type ServiceServiceInstancesConnection { edges: [ServiceServiceInstancesConnectionEdge!]!"
    "  pageInfo: PageInfo! }",
    "type ServiceServiceInstancesConnectionEdge { cursor: String! node: ServiceInstance! }",
    "input DeploymentListInput { environmentId: String includeDeleted: Boolean projectId: String"
    "  serviceId: String status: DeploymentStatusInput }",
    "input DeploymentStatusInput { in: [DeploymentStatus!] notIn: [DeploymentStatus!] }",
    "input EnvironmentCreateInput { applyChangesInBackground: Boolean ephemeral: Boolean"
    "  name: String! projectId: String! skipInitialDeploys: Boolean sourceEnvironmentId: String"
    "  stageInitialChanges: Boolean }",
    "input ProjectCreateInput { defaultEnvironmentName: String description: String"
    "  isMonorepo: Boolean isPublic: Boolean name: String prDeploys: Boolean"
    "  repo: ProjectCreateRepo runtime: PublicRuntime workspaceId: String }"
    " input ProjectCreateRepo { branch: String! fullRepoName: String! }",
    "input ServiceConnectInput { branch: String image: String repo: String }",
    "input ServiceCreateInput { branch: String environmentId: String icon: String name: String"
    "  projectId: String! registryCredentials: RegistryCredentialsInput source: ServiceSourceInput"
    "  templateId: String templateServiceId: String variables: EnvironmentVariables }",
    "input ServiceSourceInput { image: String repo: String }",
    "input RegistryCredentialsInput { password: String! username: String! }",
    "input ServiceDomainCreateInput { environmentId: String! serviceId: String! targetPort: Int }",
    "input ServiceInstanceUpdateInput { buildCommand: String builder: Builder"
    "  cronSchedule: String dockerfilePath: String drainingSeconds: Int healthcheckPath: String"
    "  healthcheckTimeout: Int ipv6EgressEnabled: Boolean multiRegionConfig: JSON"
    "  nixpacksPlan: JSON numReplicas: Int overlapSeconds: Int preDeployCommand: [String!]"
    "  railwayConfigFile: String region: String registryCredentials: RegistryCredentialsInput"
    "  restartPolicyMaxRetries: Int restartPolicyType: RestartPolicyType rootDirectory: String"
    "  sleepApplication: Boolean source: ServiceSourceInput startCommand: String"
    "  watchPatterns: [String!] }",
    "input ServiceUpdateInput { icon: String name: String }",
    "input VariableCollectionUpsertInput { environmentId: String! projectId: String!"
    "  replace: Boolean = false serviceId: String skipDeploys: Boolean = false"
    "  variables: EnvironmentVariables! }",
    "input VariableDeleteInput { environmentId: String! name: String! projectId: String!"
    "  serviceId: String }",
    "input VariableUpsertInput { environmentId: String! name: String! projectId: String!"
    "  serviceId: String skipDeploys: Boolean = false value: String! }",
    NULL,
};
